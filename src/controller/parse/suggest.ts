/**
 * The word that was probably meant, or undefined: one edit for short words, up to a third of the letters for long ones;
 * else a word of which the other is the beginning. Case does not count, so `uSERS` finds `users`.
 */
export function suggest(word: string, known: readonly string[]): string | undefined {
  if (word.length === 0 || word.length > 64) return undefined;
  const lower = word.toLowerCase();
  let best: string | undefined;
  let bestDistance = Math.max(1, Math.floor(Math.min(word.length, 12) / 3)) + 1;
  for (const candidate of known) {
    const distance = editDistance(lower, candidate.toLowerCase(), bestDistance);
    if (distance < bestDistance && distance < Math.max(lower.length, candidate.length) / 2) {
      best = candidate;
      bestDistance = distance;
    }
  }
  return best ?? (lower.length < 3 ? undefined : byPrefix(lower, known));
}

function byPrefix(lower: string, known: readonly string[]): string | undefined {
  const similar = known.filter((candidate) => {
    const other = candidate.toLowerCase();
    return other.startsWith(lower) || (other.length >= 3 && lower.startsWith(other));
  });
  return similar.length === 1 ? similar[0] : undefined;
}

/** Optimal string alignment: insertions, deletions, exchanges and swaps of neighbours. Stops early at `limit`. */
function editDistance(a: string, b: string, limit: number): number {
  if (Math.abs(a.length - b.length) >= limit) return limit;
  let beforeLast: number[] = [];
  let last = Array.from({ length: b.length + 1 }, (_, j) => j);
  for (let i = 1; i <= a.length; i++) {
    const row = [i];
    for (let j = 1; j <= b.length; j++) {
      const cost = a[i - 1] === b[j - 1] ? 0 : 1;
      let value = Math.min(
        (last[j] as number) + 1,
        (row[j - 1] as number) + 1,
        (last[j - 1] as number) + cost,
      );
      if (i > 1 && j > 1 && a[i - 1] === b[j - 2] && a[i - 2] === b[j - 1]) {
        value = Math.min(value, (beforeLast[j - 2] as number) + 1);
      }
      row.push(value);
    }
    beforeLast = last;
    last = row;
  }
  return last[b.length] as number;
}
