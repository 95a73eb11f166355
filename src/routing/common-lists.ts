/** Lists of words that say the same are kept once: of thousands of routes most name the same hosts, methods and middlewares. */
export class CommonLists {
  private readonly known = new Map<string, readonly string[]>();

  /** One list for all that are equal to `words`. */
  of(words: readonly string[]): readonly string[] {
    // Whoever writes such a list writes no line break into a word of it; if he did, two lists might be taken for one.
    if (words.some((word) => word.includes('\n'))) return words;
    const text = words.join('\n');
    const before = this.known.get(text);
    if (before !== undefined && before.length === words.length) return before;
    this.known.set(text, words);
    return words;
  }
}
