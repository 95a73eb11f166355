/** Durations and sizes as users write them. Texts come validated by the schemas; whatever else is a programming error. */

const durationPattern = /^(?:(\d+)h)?(?:(\d+)m(?!s))?(?:(\d+)s)?(?:(\d+)ms)?$/;
const sizePattern = /^(\d+)(B|KiB|MiB|GiB)?$/;
const sizeFactors = { B: 1, KiB: 2 ** 10, MiB: 2 ** 20, GiB: 2 ** 30 } as const;

/**
 * `1h`, `1m30s`, `250ms`, `0` → milliseconds.
 * @throws RangeError if `text` is no duration or too long to count exactly.
 */
export function parseDuration(text: string): number {
  if (text === '0') return 0;
  const parts = text === '' ? null : durationPattern.exec(text);
  if (parts === null) throw new RangeError(`not a duration: ${JSON.stringify(text)}`);
  const [, hours = '0', minutes = '0', seconds = '0', milliseconds = '0'] = parts;
  const total =
    Number(hours) * 3_600_000 + Number(minutes) * 60_000 + Number(seconds) * 1000 + Number(milliseconds);
  if (!Number.isSafeInteger(total)) throw new RangeError(`too long a duration: ${text}`);
  return total;
}

/**
 * `512`, `512B`, `64KiB`, `10MiB`, `1GiB` → bytes.
 * @throws RangeError if `text` is no size or too large to count exactly.
 */
export function parseSize(text: string): number {
  const parts = sizePattern.exec(text);
  if (parts === null) throw new RangeError(`not a size: ${JSON.stringify(text)}`);
  const total = Number(parts[1]) * sizeFactors[(parts[2] ?? 'B') as keyof typeof sizeFactors];
  if (!Number.isSafeInteger(total)) throw new RangeError(`too large a size: ${text}`);
  return total;
}
