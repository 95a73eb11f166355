/**
 * Plain values that say the same are kept once: of thousands of routes most name the same hosts, methods, middlewares and
 * timeouts. It knows what it was given since it was made.
 */
export class CommonValues<T> {
  private readonly known = new Map<string, T>();

  /** One object for all that are equal to `value` in all that there is in it. */
  of(value: T): T {
    const text = JSON.stringify(value);
    const before = this.known.get(text);
    if (before !== undefined) return before;
    this.known.set(text, value);
    return value;
  }
}
