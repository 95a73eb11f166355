import type { ServedUpstream } from '../health/health-service.ts';
import type { EndpointCells } from '../snapshot/messages.ts';
import type { UpstreamSnapshot } from '../snapshot/model.ts';
import type { AttachmentStore } from './attachment-store.ts';
import type { StateChange } from './served-state.ts';

/** The upstreams whose endpoints are checked, kept by what changes from generation to generation. */
export class CheckedUpstreams {
  readonly #endpoints: AttachmentStore;
  readonly #checked = new Map<string, ServedUpstream>();

  constructor(endpoints: AttachmentStore) {
    this.#endpoints = endpoints;
  }

  /** All that are checked now, and those whose check was just taken away; undefined: nothing to tell. */
  apply({ upstreams, removed }: StateChange): readonly ServedUpstream[] | undefined {
    const unchecked: ServedUpstream[] = [];
    let touched = false;
    for (const key of removed) touched = this.#checked.delete(key) || touched;
    for (const { key, json } of upstreams) {
      const upstream = { key, snapshot: JSON.parse(json) as UpstreamSnapshot, cells: this.#cellsOf(key) };
      const wasChecked = this.#checked.delete(key);
      if (upstream.snapshot.healthCheck !== undefined) this.#checked.set(key, upstream);
      else if (wasChecked) unchecked.push(upstream);
      touched ||= wasChecked || upstream.snapshot.healthCheck !== undefined;
    }
    return touched ? [...this.#checked.values(), ...unchecked] : undefined;
  }

  #cellsOf(key: string): readonly EndpointCells[] {
    const attachment = this.#endpoints.attachment(key);
    return attachment?.kind === 'Upstream' ? attachment.cells : [];
  }
}
