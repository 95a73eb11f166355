/** The `Date` field's value (RFC 9110 §5.6.7), made once a second. */
export class HttpDate {
  readonly #now: () => number;
  #second = -1;
  #text = '';

  /** `now`: Unix milliseconds. */
  constructor(now: () => number = Date.now) {
    this.#now = now;
  }

  text(): string {
    const second = Math.floor(this.#now() / 1000);
    if (second !== this.#second) {
      this.#second = second;
      this.#text = new Date(second * 1000).toUTCString();
    }
    return this.#text;
  }
}
