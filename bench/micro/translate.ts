import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { loadDirectory } from '../../src/controller/load.ts';
import { routeDocument } from '../subjects/route-document.ts';
import type { Measured } from './measure.ts';
import { measure } from './measure.ts';

const routes = 1_000;

/** From files to a translation, nothing remembered: read, parse, validate, translate. */
export async function measureTranslate(): Promise<readonly Measured[]> {
  const dir = mkdtempSync(join(tmpdir(), 'mgateway-micro-'));
  try {
    const text = Array.from({ length: routes }, (_, i) =>
      routeDocument({
        name: `route-${i}`,
        hostname: `host-${i % 100}.example.com`,
        match: `path: { prefix: /service-${i} }`,
        upstreamPort: 9,
        middlewares: '    - responseHeaders: { set: { x-version: "1" } }',
        bytes: 500,
      }),
    ).join('');
    writeFileSync(join(dir, 'routes.yaml'), text);
    return [
      await measure(`load and translate ${routes} routes of 500 bytes`, async () => {
        const { problems } = await loadDirectory([dir], { offline: true });
        if (problems.length > 0) throw new Error(problems[0]?.message);
      }),
    ];
  } finally {
    rmSync(dir, { recursive: true, force: true });
  }
}
