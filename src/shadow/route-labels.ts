/** Stands for all routes beyond those that are told apart. */
const other = '_other';

/** So many routes are told apart; a place is free again when its route is gone. */
export class RouteLabels {
  readonly #max: number;
  readonly #known = new Set<string>();

  constructor(max: number) {
    this.#max = max;
  }

  has(route: string): boolean {
    return this.#known.has(route);
  }

  of(route: string): string {
    if (this.#known.has(route)) return route;
    if (this.#known.size >= this.#max) return other;
    this.#known.add(route);
    return route;
  }

  forget(route: string): void {
    this.#known.delete(route);
  }
}
