import { mkdirSync, mkdtempSync, renameSync, rmSync, symlinkSync, writeFileSync } from 'node:fs';
import { basename, join } from 'node:path';
import { setTimeout as wait } from 'node:timers/promises';
import { cleanupAfterEach } from '../../support/cleanup.ts';
import { eventually } from '../../support/eventually.ts';
import { tempDir } from '../../support/temp-dir.ts';
import { prefixOf, routeDocument, startMainStandIn } from './main-stand-in.ts';

/** How one version of `route.yaml` comes into its directory. */
type Put = (dir: string, text: string) => void;

const ways: Readonly<Record<string, Put>> = {
  'written in place': (dir, text) => writeFileSync(join(dir, 'route.yaml'), text),
  'renamed over': (dir, text) => {
    writeFileSync(join(dir, '.route.yaml.swp'), text);
    renameSync(join(dir, '.route.yaml.swp'), join(dir, 'route.yaml'));
  },
  'removed and written anew': (dir, text) => {
    rmSync(join(dir, 'route.yaml'), { force: true });
    writeFileSync(join(dir, 'route.yaml'), text);
  },
  'swapped as a ConfigMap': (dir, text) => {
    const version = mkdtempSync(join(dir, '..version_'));
    writeFileSync(join(version, 'route.yaml'), text);
    symlinkSync(basename(version), join(dir, '..data_tmp'));
    renameSync(join(dir, '..data_tmp'), join(dir, '..data'));
    rmSync(join(dir, 'route.yaml'), { force: true });
    symlinkSync(join('..data', 'route.yaml'), join(dir, 'route.yaml'));
  },
};

/** More of them: MGATEWAY_TEST_ROUNDS. */
const rounds = Number(process.env['MGATEWAY_TEST_ROUNDS'] ?? 6);

describe('file events', () => {
  const cleanup = cleanupAfterEach();
  let version = 0;

  for (const [name, put] of Object.entries(ways)) {
    it(`no edit is left to the poll: ${name}, at any moment after the start`, async function () {
      this.timeout(120_000);
      for (let round = 0; round < rounds; round++) {
        const parent = tempDir(cleanup);
        const dir = join(parent, 'config');
        mkdirSync(dir);
        put(dir, routeDocument('a', `/v${++version}`));
        const main = startMainStandIn(cleanup, { paths: [dir], data: { logLevel: 'error' } });
        if (round % 2 === 0) await eventually(() => main.generation() > 0, { everyMs: 1 });
        for (let edit = 0; edit < 6; edit++) {
          await wait(Math.random() * (edit < 3 ? 30 : 160));
          put(dir, routeDocument('a', `/v${++version}`));
        }
        const wanted = `/v${version}`;
        // The poll of this stand-in comes after ten minutes.
        await eventually(() => prefixOf(main, 'a') === wanted);
        await main.controller.close();
      }
    });
  }
});
