import { readFileSync } from 'node:fs';

/**
 * Why this Node cannot run the program, for people; undefined: it can. What it lacks would otherwise show late and by halves: threads
 * that die as soon as they start.
 * @param running `process.versions.node`
 */
export function whyTooOld(running: string, needed = neededNode()): string | undefined {
  if (compareVersions(running, needed) >= 0) return undefined;
  return `mgateway needs Node ${needed} or newer, this is ${running} (${process.execPath})`;
}

/** The least that package.json allows (`"node": ">=20.19"`). */
function neededNode(): string {
  // Two folders up both from src/cli and from dist/cli.
  const text = readFileSync(new URL('../../package.json', import.meta.url), 'utf8');
  const { engines } = JSON.parse(text) as { readonly engines: { readonly node: string } };
  return engines.node.replace(/^>=/, '');
}

/** Below, at or above 0, like `a - b`; parts that are not given count as 0. */
function compareVersions(a: string, b: string): number {
  const [left, right] = [a, b].map((text) => text.split('.').map(Number));
  for (let i = 0; i < 3; i++) {
    const difference = (left?.[i] ?? 0) - (right?.[i] ?? 0);
    if (difference !== 0) return difference;
  }
  return 0;
}
