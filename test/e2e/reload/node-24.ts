import { execFile } from 'node:child_process';
import { promisify } from 'node:util';

/** Several workers share a port from this version on. */
const several = [22, 12];

/**
 * A Node that can run several workers: the one that runs the test, else Node 24 from the npm registry or npm's cache.
 * `undefined`, and said aloud: there is none.
 */
export async function findNodeForWorkers(): Promise<string | undefined> {
  const [major = 0, minor = 0] = process.versions.node.split('.').map(Number);
  if (major > (several[0] ?? 0) || (major === several[0] && minor >= (several[1] ?? 0)))
    return process.execPath;
  try {
    const args = ['-y', '-p', 'node@24', 'node', '-p', 'process.execPath'];
    const { stdout } = await promisify(execFile)('npx', args, { timeout: 60_000 });
    return stdout.trim();
  } catch (error) {
    const reason = error instanceof Error ? error.message : String(error);
    console.log(`      SKIPPED: Node 24 cannot be had, several workers are not tested: ${reason}`);
    return undefined;
  }
}
