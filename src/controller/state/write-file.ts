import { existsSync } from 'node:fs';
import { mkdir, open, rename, rm } from 'node:fs/promises';
import { dirname, join } from 'node:path';

/**
 * Replaces a file as a whole: whoever reads it, also after a power cut, finds the old content or the new one. Only its
 * owner may read it.
 */
export async function writeFileWhole(
  directory: string,
  name: string,
  content: string | Uint8Array,
): Promise<void> {
  await makeDirectory(directory);
  const staging = join(directory, `.${name}.new`);
  try {
    const file = await open(staging, 'w', 0o600);
    try {
      await file.writeFile(content);
      await file.sync();
    } finally {
      await file.close();
    }
    await rename(staging, join(directory, name));
  } catch (error) {
    await rm(staging, { force: true }).catch(() => undefined);
    throw error;
  }
  await syncDirectory(directory);
}

/** Removes a file, if there is one, so that it does not come back after a power cut. */
export async function removeFile(path: string): Promise<void> {
  try {
    await rm(path);
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'ENOENT') return;
    throw error;
  }
  await syncDirectory(dirname(path));
}

/** What was renamed or removed in it is so on the disk only then. */
async function syncDirectory(directory: string): Promise<void> {
  const handle = await open(directory, 'r');
  try {
    await handle.sync();
  } finally {
    await handle.close();
  }
}

/** Not by `recursive`: Node never ends where a parent is there, yet takes no directory (`/proc`). */
async function makeDirectory(path: string): Promise<void> {
  try {
    await mkdir(path, { mode: 0o700 });
  } catch (error) {
    const { code } = error as NodeJS.ErrnoException;
    if (code === 'EEXIST') return;
    if (code !== 'ENOENT' || existsSync(dirname(path))) throw error;
    await makeDirectory(dirname(path));
    await mkdir(path, { mode: 0o700 });
  }
}
