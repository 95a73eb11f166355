/** `npm run bench:micro`: what single steps cost, without sockets. `-- match pipeline` runs only those. */
import { measureCodec } from './codec.ts';
import { measureMatch } from './match.ts';
import type { Measured } from './measure.ts';
import { measurePipeline } from './pipeline.ts';
import { measureTranslate } from './translate.ts';

const groups: Readonly<Record<string, () => Promise<readonly Measured[]>>> = {
  match: measureMatch,
  pipeline: measurePipeline,
  codec: measureCodec,
  translate: measureTranslate,
};

const wanted = process.argv.slice(2);
for (const [name, run] of Object.entries(groups)) {
  if (wanted.length > 0 && !wanted.includes(name)) continue;
  for (const { name: what, nanoseconds } of await run()) {
    process.stdout.write(`${what.padEnd(46)} ${text(nanoseconds).padStart(12)}\n`);
  }
}

function text(nanoseconds: number): string {
  return nanoseconds < 1e5 ? `${nanoseconds.toFixed(0)} ns` : `${(nanoseconds / 1e6).toFixed(1)} ms`;
}
