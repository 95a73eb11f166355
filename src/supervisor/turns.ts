/** One holder at a time, in the order asked for. */
export class Turns {
  #last: Promise<void> = Promise.resolve();

  /** Resolves with the function that gives the turn back (calling it twice does no harm). */
  async take(): Promise<() => void> {
    const before = this.#last;
    let done: () => void = () => undefined;
    this.#last = new Promise((resolve) => (done = resolve));
    await before;
    return done;
  }
}
