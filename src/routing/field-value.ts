const beyondAscii = /[^\u0000-\u007f]/;

/** Text as the latin1 string that a header list holds: its UTF-8 bytes, one character each. */
export function toFieldValue(text: string): string {
  return beyondAscii.test(text) ? Buffer.from(text, 'utf8').toString('latin1') : text;
}

/** The text that `toFieldValue` made one of. */
export function fromFieldValue(value: string): string {
  return beyondAscii.test(value) ? Buffer.from(value, 'latin1').toString('utf8') : value;
}
