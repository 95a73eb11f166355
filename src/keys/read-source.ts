import { constants } from 'node:fs';
import { open } from 'node:fs/promises';

/** A secret or key set is small; more is a mistake. */
export const maxSourceBytes = 1024 * 1024;

/** Content of a file. Throws for what is no regular file (a FIFO would block for good) or is too large. */
export async function readSourceFile(path: string): Promise<Uint8Array> {
  const file = await open(path, constants.O_RDONLY | constants.O_NONBLOCK);
  try {
    const { size } = await regular(file);
    const buffer = Buffer.alloc(Math.min(size, maxSourceBytes) + 1);
    let length = 0;
    for (;;) {
      const { bytesRead } = await file.read(buffer, length, buffer.length - length, null);
      length += bytesRead;
      if (length === buffer.length)
        throw new Error(size > maxSourceBytes ? 'is larger than 1 MiB' : 'is being written');
      if (bytesRead === 0) return buffer.subarray(0, length);
    }
  } finally {
    await file.close();
  }
}

async function regular(file: Awaited<ReturnType<typeof open>>): Promise<{ readonly size: number }> {
  const status = await file.stat();
  if (!status.isFile()) throw new Error('is not a regular file');
  return status;
}
