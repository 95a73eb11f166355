const HALF_PAIR = /[\ud800-\udbff](?![\udc00-\udfff])|(?<![\ud800-\udbff])[\udc00-\udfff]/g;

/** Half surrogate pairs, which UTF-8 cannot hold, as U+FFFD. */
export function wellFormed(text: string): string {
  return text.replace(HALF_PAIR, '\ufffd');
}
