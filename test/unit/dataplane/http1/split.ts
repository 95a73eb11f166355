/** `text` in pieces: `cuts` are any numbers, taken modulo its length; every byte is in exactly one piece. */
export function split(text: string, cuts: readonly number[]): string[] {
  if (text.length === 0) return [];
  const at = [...new Set(cuts.map((cut) => cut % text.length))]
    .filter((cut) => cut > 0)
    .sort((a, b) => a - b);
  const pieces: string[] = [];
  let from = 0;
  for (const cut of [...at, text.length]) {
    pieces.push(text.slice(from, cut));
    from = cut;
  }
  return pieces;
}
