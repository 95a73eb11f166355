import { addTo, countedCode, observeInto } from './cell-arithmetic.ts';
import { histogramSlots } from './duration-buckets.ts';
import type { Cell } from './slab-allocator.ts';
import { otherLabel } from './series-group.ts';
import type { SeriesGroup } from './series-group.ts';
import type { RouteSeries } from './series.ts';

/** Methods with a label of their own (RFC 9110 §9, RFC 5789); the last stands for the rest. */
const methods = [
  'GET',
  'HEAD',
  'POST',
  'PUT',
  'DELETE',
  'CONNECT',
  'OPTIONS',
  'TRACE',
  'PATCH',
  'OTHER',
] as const;
const codes = 1_000;
/** Label pairs of rejections kept apart by one route; middlewares are few, but a user's module may make up reasons. */
const maxRejections = 256;

interface Always {
  readonly inFlight: Cell;
  readonly duration: Cell;
}

/** The series of one route label. `other` takes what is over the cap; undefined: this is it. */
export class BoundRoute implements RouteSeries {
  private readonly group: SeriesGroup;
  private readonly label: string;
  private readonly other: BoundRoute | undefined;
  private always: Always | undefined;
  /** By `method index * 1000 + code`: a number, because hashing a built string costs more than the rest. */
  private answers: Map<number, Cell> | undefined;
  private rejections: Map<string, Map<string, Cell>> | undefined;
  private rejectionCount = 0;
  private lastKey = -1;
  private lastCell: Cell | undefined;

  constructor(group: SeriesGroup, label: string, other: BoundRoute | undefined) {
    this.group = group;
    this.label = label;
    this.other = other;
  }

  retain(): void {
    this.group.retain();
  }

  release(): void {
    if (!this.group.release()) return;
    this.always = undefined;
    this.lastKey = -1;
    this.answers = undefined;
    this.rejections = undefined;
  }

  begin(): void {
    addTo((this.always ?? this.openAlways()).inFlight, 1);
  }

  end(method: string, code: number, seconds: number): void {
    const always = this.always ?? this.openAlways();
    addTo(always.inFlight, -1);
    observeInto(always.duration, seconds);
    const key = methodIndex(method) * codes + countedCode(code);
    if (key !== this.lastKey || this.lastCell === undefined) {
      this.lastCell = this.answers?.get(key) ?? this.openAnswer(key);
      this.lastKey = key;
    }
    addTo(this.lastCell, 1);
  }

  rejected(middleware: string, reason: string): void {
    const cell = this.rejections?.get(middleware)?.get(reason) ?? this.openRejection(middleware, reason);
    addTo(cell, 1);
  }

  /** In flight and duration stand and fall together, so that what was counted up is counted down in the same place. */
  private openAlways(): Always {
    const labels = { route: this.label };
    const inFlight = this.group.open({ metric: 'requests_in_flight', labels, slots: 1 });
    const duration =
      inFlight && this.group.open({ metric: 'request_duration_seconds', labels, slots: histogramSlots });
    if (inFlight !== undefined && duration !== undefined) this.always = { inFlight, duration };
    else this.always = (this.other as BoundRoute).always ?? (this.other as BoundRoute).openAlways();
    return this.always;
  }

  private openAnswer(key: number): Cell {
    const labels = {
      route: this.label,
      method: methods[Math.trunc(key / codes)] as string,
      code: String(key % codes),
    };
    const cell = this.group.open({ metric: 'requests_total', labels, slots: 1 });
    // Not remembered here if it is over the cap: the number of these is bounded once, not once a route.
    if (cell === undefined) return (this.other as BoundRoute).answer(key);
    (this.answers ??= new Map<number, Cell>()).set(key, cell);
    return cell;
  }

  private answer(key: number): Cell {
    return this.answers?.get(key) ?? this.openAnswer(key);
  }

  private openRejection(middleware: string, reason: string): Cell {
    if (this.other === undefined) return this.openOtherRejection(reason);
    const labels = { route: this.label, middleware, reason };
    const cell =
      this.rejectionCount < maxRejections
        ? this.group.open({ metric: 'middleware_rejections_total', labels, slots: 1 })
        : undefined;
    if (cell === undefined) return this.other.openOtherRejection(reason);
    this.rememberRejection(middleware, reason, cell);
    return cell;
  }

  private openOtherRejection(reason: string): Cell {
    const known = this.rejections?.get(otherLabel);
    const counted = this.rejectionCount < maxRejections || known?.has(reason) === true ? reason : otherLabel;
    const labels = { route: this.label, middleware: otherLabel, reason: counted };
    const cell =
      known?.get(counted) ??
      this.group.openAnyway({ metric: 'middleware_rejections_total', labels, slots: 1 });
    if (known?.has(counted) !== true) this.rememberRejection(otherLabel, counted, cell);
    return cell;
  }

  private rememberRejection(middleware: string, reason: string, cell: Cell): void {
    this.rejectionCount += 1;
    const rejections = (this.rejections ??= new Map<string, Map<string, Cell>>());
    let reasons = rejections.get(middleware);
    if (reasons === undefined) rejections.set(middleware, (reasons = new Map<string, Cell>()));
    reasons.set(reason, cell);
  }
}

function methodIndex(method: string): number {
  switch (method) {
    case 'GET':
      return 0;
    case 'HEAD':
      return 1;
    case 'POST':
      return 2;
    case 'PUT':
      return 3;
    case 'DELETE':
      return 4;
    case 'CONNECT':
      return 5;
    case 'OPTIONS':
      return 6;
    case 'TRACE':
      return 7;
    case 'PATCH':
      return 8;
    default:
      return 9;
  }
}
