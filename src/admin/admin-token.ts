import { createHash, timingSafeEqual } from 'node:crypto';
import type { Buffer } from 'node:buffer';
import { readFileSync, statSync } from 'node:fs';

/** The bearer token that operators hold; its text is nowhere kept. */
export interface AdminToken {
  /** Compares in constant time. @throws Error if there is no usable token at the moment: nobody is let in then. */
  matches(token: string): boolean;
}

const minBytes = 16;
const maxBytes = 4096;

/** Reads the file again whenever it has changed; one newline at its end does not count. */
export function openAdminToken(path: string): AdminToken {
  let stamp = '';
  let digest: Buffer | undefined;
  return {
    matches(token) {
      const { size, mtimeMs, ino, dev } = statSync(path);
      const now = [size, mtimeMs, ino, dev].join(' ');
      if (digest === undefined || now !== stamp) {
        // Before it is read: what cannot be read must not leave the last one valid.
        digest = undefined;
        digest = digestOf(readToken(path));
        stamp = now;
      }
      return timingSafeEqual(digestOf(token), digest);
    },
  };
}

/** Equal lengths, and nothing to be learned from the time that a comparison takes. */
function digestOf(token: string): Buffer {
  return createHash('sha256').update(token, 'latin1').digest();
}

function readToken(path: string): string {
  // A device or a pipe could hold the thread for good.
  const found = statSync(path);
  if (!found.isFile()) throw new Error('is not a file');
  if (found.size > maxBytes) throw new Error(`is longer than ${maxBytes} bytes`);
  const token = readFileSync(path, 'latin1').replace(/\r?\n$/, '');
  if (token.length < minBytes) throw new Error(`holds fewer than ${minBytes} bytes`);
  if (!/^[\x21-\x7e]+$/.test(token)) throw new Error('holds what cannot be sent: only visible ASCII can be');
  return token;
}
