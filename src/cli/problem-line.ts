import type { Problem } from '../snapshot/messages.ts';
import { visible } from '../telemetry/visible.ts';

/** `file:line:column field message (hint)`; `prefix` stands before the message. */
export function problemLine({ at, path, message, hint }: Problem, prefix = ''): string {
  const words = [at, path, `${prefix}${message}`, hint === undefined ? '' : `(${hint})`];
  return visible(words.filter((word) => word !== '').join(' '));
}
