import { Buffer } from 'node:buffer';
import { closeSync, constants, fstatSync, openSync, readSync } from 'node:fs';
import { stampOf } from './list-root.ts';
import { reasonOf } from './reason-of.ts';

export type BytesRead =
  | { readonly state: 'read'; readonly bytes: Buffer; readonly stamp: string }
  /** It was written while it was read: look again. */
  | { readonly state: 'moved' }
  | { readonly state: 'unreadable'; readonly reason: string };

/**
 * Reads a regular file of at most `maxBytes`. O_NONBLOCK: a FIFO or device put in the file's place since it was looked
 * at opens at once and is then refused. Reads as many bytes as the file had when opened, so that a file without an end
 * (/proc) cannot fill memory.
 */
export function readBytes(path: string, maxBytes: number): BytesRead {
  let descriptor: number;
  try {
    descriptor = openSync(path, constants.O_RDONLY | constants.O_NONBLOCK | constants.O_NOCTTY);
  } catch (error) {
    return { state: 'unreadable', reason: reasonOf(error) };
  }
  try {
    const before = fstatSync(descriptor, { bigint: true });
    if (!before.isFile()) return { state: 'unreadable', reason: 'is not a regular file' };
    if (before.size > BigInt(maxBytes)) {
      return { state: 'unreadable', reason: `is larger than ${maxBytes} bytes` };
    }
    const bytes = Buffer.allocUnsafeSlow(Number(before.size));
    let filled = 0;
    while (filled < bytes.length) {
      const count = readSync(descriptor, bytes, filled, bytes.length - filled, filled);
      if (count === 0) return { state: 'moved' };
      filled += count;
    }
    const stamp = stampOf(fstatSync(descriptor, { bigint: true }));
    return stamp === stampOf(before) ? { state: 'read', bytes, stamp } : { state: 'moved' };
  } catch (error) {
    return { state: 'unreadable', reason: reasonOf(error) };
  } finally {
    closeSync(descriptor);
  }
}
