import type { Pin, PinnedSet, PrepareFailure } from '../../snapshot/messages.ts';
import type { Entry } from '../../snapshot/model.ts';
import type { Logger } from '../../telemetry/log.ts';
import type { Clock } from '../clock.ts';
import type { Publisher } from '../publish/publisher.ts';
import type { Surroundings } from '../translate/middleware.ts';
import { withCurrentKeys } from './current-keys.ts';
import type { History } from './history.ts';

/** Where a pin is kept over restarts. */
export interface PinStore {
  load(): PinnedSet | undefined;
  /** Undefined: nothing is pinned any more. Never rejects. */
  save(pinned: PinnedSet | undefined): Promise<void>;
}

export interface PinningOptions {
  readonly publisher: Publisher;
  readonly history: History;
  readonly around: Surroundings;
  readonly store: PinStore;
  readonly clock: Clock;
  readonly log: Logger;
  /** The time of a pin is up: reconcile. */
  readonly expired: () => void;
}

export type PinEnd = 'SourceChanged' | 'Expired' | 'Resumed' | 'NotServable';

/** Timers hold no more than 24 days: a longer time is looked at again. */
const maxTimerMs = 24 * 3_600_000;

/**
 * Keeps an older generation in service, whatever the source says. It is published under a new number (G3), as it was but for
 * the versions of its secrets. One caller at a time.
 */
export class Pinning {
  readonly #options: PinningOptions;
  #pin: Pin | undefined;
  #entries: ReadonlyMap<string, Entry> = new Map();
  /** Kept from before a restart; published by the first `holds`. */
  #kept: PinnedSet | undefined;
  #cancelTimer: (() => void) | undefined;

  constructor(options: PinningOptions) {
    this.#options = options;
    this.#kept = options.store.load();
  }

  get pin(): Pin | undefined {
    return this.#pin;
  }

  /** Publishes the entries; empty: they are pinned. Otherwise nothing has changed. */
  async start(pin: Pin, entries: ReadonlyMap<string, Entry>): Promise<readonly PrepareFailure[]> {
    const failures = await this.#publish(pin, entries);
    if (failures.length > 0) return failures;
    this.#pin = pin;
    this.#entries = entries;
    this.#setTimer(pin);
    // Who is told that it is pinned relies on it, also if the power fails now.
    await this.#options.store.save({ ...pin, entries: [...entries.values()] });
    this.#options.log.warn('configuration is pinned', {
      pinned: pin.of,
      generation: this.#options.publisher.generation,
      ...(pin.until !== undefined && { until: new Date(pin.until).toISOString() }),
    });
    return [];
  }

  /**
   * Whether a pin keeps the source from being served: not when its time is up, nor when other documents are accepted than those
   * that were when it was set (`accepted`). Brings its secrets up to date.
   */
  async holds(accepted: () => string): Promise<boolean> {
    await this.#restore();
    const pin = this.#pin;
    if (pin === undefined) return false;
    if (this.#isOver(pin)) {
      await this.end('Expired');
      return false;
    }
    if (accepted() !== pin.accepted) return false;
    const failures = await this.#publish(pin, this.#entries);
    if (failures.length > 0)
      this.#options.log.error('new secrets of the pinned generation are refused', { failures });
    return true;
  }

  /** Resolves when it is forgotten for good: who is told that it is over relies on that, too. */
  async end(reason: PinEnd): Promise<void> {
    if (this.#pin === undefined) return;
    this.#options.log.warn('configuration is no longer pinned', { pinned: this.#pin.of, reason });
    this.#pin = undefined;
    this.#entries = new Map();
    this.#cancelTimer?.();
    await this.#options.store.save(undefined);
  }

  close(): void {
    this.#cancelTimer?.();
  }

  async #restore(): Promise<void> {
    const kept = this.#kept;
    this.#kept = undefined;
    if (kept === undefined) return;
    const { entries, ...pin } = kept;
    const { log, store } = this.#options;
    const failures = this.#isOver(pin)
      ? undefined
      : await this.start(pin, new Map(entries.map((entry) => [entry.key, entry])));
    if (failures?.length === 0) return;
    await store.save(undefined);
    const reason: PinEnd = failures === undefined ? 'Expired' : 'NotServable';
    log.warn('configuration is no longer pinned', { pinned: pin.of, reason, failures });
  }

  async #publish(pin: Pin, entries: ReadonlyMap<string, Entry>): Promise<readonly PrepareFailure[]> {
    const { publisher, history, around, clock } = this.#options;
    const started = clock.now();
    const current = withCurrentKeys(entries, around);
    const published = await publisher.publish(current, pin.sourceHash);
    if (published === undefined) return [];
    if (published.failures.length > 0) return published.failures;
    const time = clock.now();
    history.served(
      {
        generation: published.generation,
        time: time / 1000,
        sourceHash: pin.sourceHash,
        result: 'applied',
        ...(published.state !== undefined && { state: published.state }),
        durationSeconds: (time - started) / 1000,
        rollbackOf: pin.of,
      },
      current,
    );
    return [];
  }

  #isOver({ until }: Pin): boolean {
    return until !== undefined && until <= this.#options.clock.now();
  }

  #setTimer({ until }: Pin): void {
    this.#cancelTimer?.();
    this.#cancelTimer = undefined;
    if (until === undefined) return;
    const { clock, expired } = this.#options;
    const leftMs = Math.max(0, until - clock.now());
    this.#cancelTimer = clock.after(Math.min(leftMs, maxTimerMs), () => {
      if (this.#pin === undefined) return;
      if (this.#isOver(this.#pin)) expired();
      else this.#setTimer(this.#pin);
    });
  }
}
