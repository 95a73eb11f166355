/** What may stand in a header field (RFC 9110 §5.1, §5.5). */
import { wellFormed } from '../routing/well-formed.ts';

const token = /^[!#$%&'*+\-.^_`|~0-9A-Za-z]+$/;
const control = /[\u0000-\u0008\u000a-\u001f\u007f]/;
const beyondAscii = /[^\u0000-\u007f]/;

/** A field name (`token`). */
export function isFieldName(name: string): boolean {
  return token.test(name);
}

/**
 * A field value: no CR, LF, NUL or other control character but a tab, any of which could end the field and begin another
 * one; no blanks around it, which a receiver drops, and no half of a surrogate pair, which UTF-8 cannot hold: by either, two
 * values could become one.
 */
export function isFieldValue(value: string): boolean {
  if (control.test(value) || value !== value.trim()) return false;
  return !beyondAscii.test(value) || wellFormed(value) === value;
}
