import type { Problem } from '../../snapshot/messages.ts';

/**
 * At most `limit` problems, in their order, of every file an equal share first: one file with 100,000 of them must not hide
 * the one of another.
 */
export function spread(problems: readonly Problem[], limit: number): readonly Problem[] {
  if (problems.length <= limit) return problems;
  const files = problems.map(fileOf);
  const share = Math.max(1, Math.floor(limit / new Set(files).size));
  const taken = new Map<string, number>();
  const chosen = new Set<number>();
  for (let i = 0; i < problems.length && chosen.size < limit; i += 1) {
    const file = files[i] ?? '';
    const count = taken.get(file) ?? 0;
    if (count >= share) continue;
    taken.set(file, count + 1);
    chosen.add(i);
  }
  for (let i = 0; i < problems.length && chosen.size < limit; i += 1) chosen.add(i);
  return problems.filter((_, i) => chosen.has(i));
}

function fileOf({ at }: Problem): string {
  return at.replace(/:\d+:\d+$/, '');
}
