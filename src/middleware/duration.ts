const shape = /^(?:(\d{1,9})h)?(?:(\d{1,9})m)?(?:(\d{1,9})s)?(?:(\d{1,9})ms)?$/;

/** Milliseconds of a duration as users write it (`250ms`, `3s`, `1m30s`, `1h`, `0`). Throws on anything else. */
export function durationMs(text: string): number {
  if (text === '0') return 0;
  const parts = shape.exec(text);
  if (text === '' || parts === null) throw new RangeError(`"${text}" is not a duration`);
  const [, hours = '0', minutes = '0', seconds = '0', ms = '0'] = parts;
  return Number(hours) * 3_600_000 + Number(minutes) * 60_000 + Number(seconds) * 1000 + Number(ms);
}
