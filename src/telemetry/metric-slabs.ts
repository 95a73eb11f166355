import type { MetricSeries } from '../snapshot/messages.ts';
import type { MetricName } from './catalog.ts';
import { catalog, isMetricName } from './catalog.ts';
import { histogramSlots } from './duration-buckets.ts';
import { labelText } from './label-text.ts';
import type { MetricMessage } from './series-ledger.ts';

/** Where one living worker keeps a label set. */
interface Place {
  readonly set: LabelSet;
  readonly values: Float64Array;
  readonly slot: number;
}

/** One label set of a metric over all workers. There may be 100,000 of them: it holds no more than it must. */
export interface LabelSet {
  readonly metric: MetricName;
  /** As between the braces. */
  readonly text: string;
  /** Value of its first label: the route, upstream, listener or worker that it belongs to. */
  readonly owner: string;
  readonly places: Place[];
  /** What workers counted that live no more; absent: nothing. */
  base: Float64Array | undefined;
}

/** The slabs of one worker, from its start to its death. */
export interface WorkerSlabs {
  take(message: MetricMessage): void;
  /** The worker died: its counts are kept, its gauges dropped. Its memory is no longer read, its messages are ignored. */
  close(): void;
}

/** A route or an upstream. */
export type SeriesOwner = { readonly route: string } | { readonly upstream: string };

/**
 * What all workers count, by label set. A label set lives as long as a living worker has it. What a worker counted before
 * it died, or before it dropped a label set that others still have, stays in the sum: a counter never falls.
 */
export class MetricSlabs {
  private readonly families = new Map<MetricName, Map<string, LabelSet>>();

  /** Label sets of one metric; may be changed while it is walked. */
  labelSets(metric: MetricName): Iterable<LabelSet> {
    return this.families.get(metric)?.values() ?? [];
  }

  openWorker(): WorkerSlabs {
    const pages = new Map<number, Float64Array>();
    let closed = false;
    const held = new Map<number, Place>();
    const drop = (id: number, died: boolean): void => {
      const place = held.get(id);
      if (place === undefined) return;
      held.delete(id);
      this.vacate(place, died);
    };
    return {
      take: (message) => {
        if (closed) return;
        if (message.type === 'MetricPage') {
          pages.set(message.page, new Float64Array(message.buffer));
          return;
        }
        for (const series of message.added) {
          const values = pages.get(series.page);
          if (values === undefined)
            throw new Error(`series ${series.id} is on page ${series.page}, which is unknown`);
          held.set(series.id, this.occupy(series, values));
        }
        for (const id of message.removed) drop(id, false);
      },
      close: () => {
        closed = true;
        for (const id of [...held.keys()]) drop(id, true);
        pages.clear();
      },
    };
  }

  /**
   * The configuration no longer has it: what dead workers counted for it goes. Label sets that living workers still
   * have go when these release them. Walks every label set.
   */
  forget(owners: readonly SeriesOwner[]): void {
    const routes = new Set(owners.flatMap((owner) => ('route' in owner ? [owner.route] : [])));
    const upstreams = new Set(owners.flatMap((owner) => ('upstream' in owner ? [owner.upstream] : [])));
    for (const [metric, family] of this.families) {
      const kind = catalog[metric].labels[0];
      const gone = kind === 'route' ? routes : kind === 'upstream' ? upstreams : undefined;
      if (gone === undefined || gone.size === 0) continue;
      for (const { text, owner, places } of family.values()) {
        if (places.length === 0 && gone.has(owner)) family.delete(text);
      }
    }
  }

  private occupy({ metric, labels, slot }: MetricSeries, values: Float64Array): Place {
    if (!isMetricName(metric)) throw new Error(`unknown metric ${metric}`);
    const names = catalog[metric].labels;
    let family = this.families.get(metric);
    if (family === undefined) this.families.set(metric, (family = new Map<string, LabelSet>()));
    const text = labelText(names, labels);
    let set = family.get(text);
    if (set === undefined) {
      const owner = labels[names[0] ?? ''] ?? '';
      family.set(text, (set = { metric, text, owner, places: [], base: undefined }));
    }
    const place = { set, values, slot };
    set.places.push(place);
    return place;
  }

  private vacate(place: Place, died: boolean): void {
    const { set, values, slot } = place;
    set.places.splice(set.places.indexOf(place), 1);
    const { type } = catalog[set.metric];
    const goes = set.places.length === 0 && (type === 'gauge' || !died);
    if (goes) {
      this.families.get(set.metric)?.delete(set.text);
    } else if (type !== 'gauge') {
      set.base ??= new Float64Array(type === 'histogram' ? histogramSlots : 1);
      for (let i = 0; i < set.base.length; i++) {
        set.base[i] = (set.base[i] as number) + (values[slot + i] as number);
      }
    }
  }
}

/** Sum of one of the label set's numbers over living and dead workers. */
export function sumAt({ places, base }: LabelSet, index: number): number {
  let sum = base === undefined ? 0 : (base[index] as number);
  for (const { values, slot } of places) sum += values[slot + index] as number;
  return sum;
}
