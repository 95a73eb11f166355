import { RequestRingReader } from '../telemetry/request-ring.ts';
import { decodeRequest } from '../telemetry/request-tap.ts';
import type { TappedRequest } from '../telemetry/request-tap.ts';

/** The requests of all workers, from each in turn. */
export class Intake {
  readonly #readers: readonly RequestRingReader[];
  #turn = 0;

  constructor(rings: readonly SharedArrayBuffer[]) {
    this.#readers = rings.map((ring) => new RequestRingReader(ring));
  }

  /** Undefined: there is none that was decided by `latest` or before. A worker swaps a moment before main tells of it. */
  take(latest: number): TappedRequest | undefined {
    for (let tries = 0; tries < this.#readers.length; tries += 1) {
      this.#turn = (this.#turn + 1) % this.#readers.length;
      const reader = this.#readers[this.#turn];
      const text = reader?.peek();
      if (reader === undefined || text === undefined) continue;
      const request = decodeRequest(text);
      if (request.generation > latest) continue;
      // Before it is looked at: what kills this thread must not meet its successor.
      reader.skip();
      return request;
    }
    return undefined;
  }

  /** Requests that found no room since the last call. */
  takeDropped(): number {
    return this.#readers.reduce((sum, reader) => sum + reader.takeDropped(), 0);
  }
}
