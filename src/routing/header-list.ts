import { isField } from './is-field.ts';

/**
 * Header or trailer fields as a flat list: name, value, name, value, … in the order and spelling received (RFC 9110 §5.3:
 * fields of one name may stand apart, and `Set-Cookie` must). Look-up ignores case. A list is short, so it is scanned:
 * comparing lengths first makes a scan cheaper than building a map for every message.
 */
export class HeaderList {
  /** Name at even, value at odd indexes. Values are latin1 strings without surrounding blanks. */
  readonly raw: string[];

  constructor(raw: string[] = []) {
    this.raw = raw;
  }

  /** First value of `name` (lower-case), or undefined. */
  get(name: string): string | undefined {
    const i = this.indexOf(name, 0);
    return i < 0 ? undefined : this.raw[i + 1];
  }

  /** All values of `name` (lower-case), in order. */
  getAll(name: string): string[] {
    const values: string[] = [];
    for (let i = this.indexOf(name, 0); i >= 0; i = this.indexOf(name, i + 2))
      values.push(this.raw[i + 1] as string);
    return values;
  }

  has(name: string): boolean {
    return this.indexOf(name, 0) >= 0;
  }

  /** Index of the next field called `name` (lower-case) at or after `from`, or -1. */
  indexOf(name: string, from: number): number {
    const raw = this.raw;
    const length = name.length;
    for (let i = from; i < raw.length; i += 2) {
      const candidate = raw[i] as string;
      if (candidate.length === length && isField(candidate, name)) return i;
    }
    return -1;
  }

  /** Adds a field after the others. `name` as it shall be sent. */
  add(name: string, value: string): void {
    this.raw.push(name, value);
  }

  /** One field of this name with this value: the first keeps its place, further ones go. */
  set(name: string, value: string): void {
    const lower = name.toLowerCase();
    const first = this.indexOf(lower, 0);
    if (first < 0) {
      this.raw.push(name, value);
      return;
    }
    this.raw[first + 1] = value;
    for (let i = this.indexOf(lower, first + 2); i >= 0; i = this.indexOf(lower, i)) this.raw.splice(i, 2);
  }

  /** Removes every field called `name` (lower-case); says whether there was one. */
  remove(name: string): boolean {
    let i = this.indexOf(name, 0);
    if (i < 0) return false;
    for (; i >= 0; i = this.indexOf(name, i)) this.raw.splice(i, 2);
    return true;
  }

  /** Renames every field called `from` (lower-case) to `to`, values and places kept. */
  rename(from: string, to: string): void {
    for (let i = this.indexOf(from, 0); i >= 0; i = this.indexOf(from, i + 2)) this.raw[i] = to;
  }

  clone(): HeaderList {
    return new HeaderList(this.raw.slice());
  }
}
