import type { MetricSeries } from '../snapshot/messages.ts';
import type { MetricName } from './catalog.ts';
import { catalog, isMetricName } from './catalog.ts';
import { histogramSlots } from './duration-buckets.ts';
import { labelText } from './label-text.ts';
import type { MetricMessage } from './series-ledger.ts';

/** Where one living worker keeps a label set. */
interface Place {
  readonly values: Float64Array;
  readonly slot: number;
}

/** One label set of a metric over all workers. */
export interface LabelSet {
  readonly metric: MetricName;
  readonly labels: Readonly<Record<string, string>>;
  /** As between the braces. */
  readonly text: string;
  readonly places: Place[];
  /** What workers counted that live no more. */
  readonly base: Float64Array;
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
    const held = new Map<number, { readonly set: LabelSet; readonly place: Place }>();
    const drop = (id: number, died: boolean): void => {
      const holding = held.get(id);
      if (holding === undefined) return;
      held.delete(id);
      this.vacate(holding.set, holding.place, died);
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
    for (const family of this.families.values()) {
      for (const [text, { labels, places }] of family) {
        const gone = routes.has(labels['route'] ?? '') || upstreams.has(labels['upstream'] ?? '');
        if (gone && places.length === 0) family.delete(text);
      }
    }
  }

  private occupy(
    series: MetricSeries,
    values: Float64Array,
  ): { readonly set: LabelSet; readonly place: Place } {
    const { metric, labels, slot } = series;
    if (!isMetricName(metric)) throw new Error(`unknown metric ${metric}`);
    const definition = catalog[metric];
    let family = this.families.get(metric);
    if (family === undefined) this.families.set(metric, (family = new Map<string, LabelSet>()));
    const text = labelText(definition.labels, labels);
    let set = family.get(text);
    if (set === undefined) {
      const base = new Float64Array(definition.type === 'histogram' ? histogramSlots : 1);
      family.set(text, (set = { metric, labels, text, places: [], base }));
    }
    const place = { values, slot };
    set.places.push(place);
    return { set, place };
  }

  private vacate(set: LabelSet, place: Place, died: boolean): void {
    set.places.splice(set.places.indexOf(place), 1);
    const isGauge = catalog[set.metric].type === 'gauge';
    const goes = isGauge ? set.places.length === 0 : set.places.length === 0 && !died;
    if (goes) {
      this.families.get(set.metric)?.delete(set.text);
    } else if (!isGauge) {
      for (let i = 0; i < set.base.length; i++) {
        set.base[i] = (set.base[i] as number) + (place.values[place.slot + i] as number);
      }
    }
  }
}

/** Sum of one of the label set's numbers over living and dead workers. */
export function sumAt(set: LabelSet, index: number): number {
  let sum = set.base[index] as number;
  for (const { values, slot } of set.places) sum += values[slot + index] as number;
  return sum;
}
