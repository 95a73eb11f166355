/** Links of an element of OpenExchanges, owned by it. */
export interface Listed<T> {
  previous: T | undefined;
  next: T | undefined;
}

/**
 * The exchanges that have not ended, as a list linked through its elements: every request goes in and out, so that must
 * cost nothing; they are gone through only when routes have gone or the gateway stops.
 */
export class OpenExchanges<T extends Listed<T>> {
  size = 0;
  private first: T | undefined = undefined;

  add(exchange: T): void {
    this.size++;
    exchange.next = this.first;
    if (this.first !== undefined) this.first.previous = exchange;
    this.first = exchange;
  }

  delete(exchange: T): void {
    this.size--;
    const { previous, next } = exchange;
    if (previous === undefined) this.first = next;
    else previous.next = next;
    if (next !== undefined) next.previous = previous;
    exchange.previous = exchange.next = undefined;
  }

  /** Those that are open now; later ones are not among them. */
  list(): readonly T[] {
    const all: T[] = [];
    for (let exchange = this.first; exchange !== undefined; exchange = exchange.next) all.push(exchange);
    return all;
  }
}
