import { join } from 'node:path';
import type { ConfigToMain } from '../../snapshot/messages.ts';
import { readBytes } from '../source/read-bytes.ts';
import { writeFileWhole } from './write-file.ts';

/** Where a text, or its UTF-8, outlives the config thread. */
export interface StateMedium {
  /** For reports. */
  readonly place: string;
  /** Undefined: nothing is kept. @throws Error that says in words why it cannot be read. */
  read(): string | undefined;
  /** Rejects where it cannot be written: a full disk, a read-only directory. */
  write(content: string | Uint8Array): Promise<void>;
}

const maxBytes = 512 * 1024 * 1024;

/** A file of the state directory: outlives the process. */
export function fileMedium(directory: string, name: string): StateMedium {
  const place = join(directory, name);
  return {
    place,
    read() {
      const found = readBytes(place, maxBytes);
      if (found.state === 'unreadable' && found.reason === 'does not exist') return undefined;
      if (found.state === 'moved') throw new Error('is being written');
      if (found.state === 'unreadable') throw new Error(found.reason);
      return found.bytes.toString('utf8');
    },
    write: (content) => writeFileWhole(directory, name, content),
  };
}

/** Main's memory: outlives a crash of this thread. `kept`: what main had of the one before. */
export function mainMedium(kept: Uint8Array | undefined, send: (message: ConfigToMain) => void): StateMedium {
  return {
    place: 'main',
    read: () => kept && Buffer.from(kept).toString('utf8'),
    write(content) {
      send({ type: 'Keep', state: typeof content === 'string' ? Buffer.from(content) : content });
      return Promise.resolve();
    },
  };
}
