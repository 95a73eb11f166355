import type { Problem } from '../snapshot/messages.ts';

/** `file:line:column field message (hint)`; `prefix` stands before the message. */
export function problemLine({ at, path, message, hint }: Problem, prefix = ''): string {
  const words = [at, path, `${prefix}${message}`, hint === undefined ? '' : `(${hint})`];
  return words.filter((word) => word !== '').join(' ');
}
