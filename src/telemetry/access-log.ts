import type { WorkerToMain } from '../snapshot/messages.ts';
import { createAccessLine } from './access-line.ts';
import type { AccessEntry } from './access-line.ts';

export interface AccessLogOptions {
  readonly format: 'json' | 'pretty';
  /** Sends to main. */
  readonly post: (message: Extract<WorkerToMain, { readonly type: 'AccessLog' }>) => void;
}

/** The access log of one worker: one line for each exchange, sent to main in batches. */
export interface AccessLog {
  write(entry: AccessEntry): void;
  /** Sends what waits now. */
  flush(): void;
}

const batchMs = 50;
const batchCharacters = 32 * 1024;
/** In one batch time: 80 MiB a second is beyond any reader; more would pile up in main. */
const maxCharactersPerBatchTime = 4 * 1024 * 1024;

export function createAccessLog({ format, post }: AccessLogOptions): AccessLog {
  const line = createAccessLine(format);
  let text = '';
  let sent = 0;
  let dropped = 0;
  let timer: NodeJS.Timeout | undefined;

  const send = (): void => {
    if (text === '' && dropped === 0) return;
    post({ type: 'AccessLog', text, dropped });
    sent += text.length;
    text = '';
    dropped = 0;
  };
  const flush = (): void => {
    clearTimeout(timer);
    timer = undefined;
    send();
    sent = 0;
  };

  return {
    write(entry) {
      timer ??= setTimeout(flush, batchMs);
      if (sent > maxCharactersPerBatchTime) {
        dropped += 1;
        return;
      }
      text += line(entry);
      if (text.length >= batchCharacters) send();
    },
    flush,
  };
}
