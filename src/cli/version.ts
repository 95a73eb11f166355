import { readFileSync } from 'node:fs';

/** The version of this package. */
export function readVersion(): string {
  // Two folders up both from src/cli and from dist/cli.
  const text = readFileSync(new URL('../../package.json', import.meta.url), 'utf8');
  return (JSON.parse(text) as { readonly version: string }).version;
}

/** What `mgateway version` prints. */
export function describeVersion(output: 'text' | 'json'): string {
  const version = readVersion();
  const node = process.versions.node;
  const { platform, arch } = process;
  if (output === 'json') return `${JSON.stringify({ version, node, platform, arch })}\n`;
  return `mgateway ${version} (Node ${node}, ${platform} ${arch})\n`;
}
