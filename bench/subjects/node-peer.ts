import { existsSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import type { Subject, Variant } from './subject.ts';

const bench = fileURLToPath(new URL('..', import.meta.url));

/** A Node program of bench/peers on packages of bench/package.json. */
export function nodePeer(name: string, variants: readonly Variant[], packages: readonly string[]): Subject {
  return {
    name,
    variants,
    verifiesTokens: true,
    missing() {
      const absent = packages.filter((each) => !existsSync(join(bench, 'node_modules', each)));
      return absent.length === 0 ? undefined : `${absent.join(', ')}: run \`npm ci --prefix bench\``;
    },
    prepare: ({ variant, port, upstreamPort }) => ({
      command: process.execPath,
      args: [join(bench, 'peers', `${name}.mjs`)],
      env: {
        PORT: String(port),
        UPSTREAM_PORT: String(upstreamPort),
        FULL: variant === 'full' ? '1' : '',
        NODE_ENV: 'production',
      },
    }),
  };
}
