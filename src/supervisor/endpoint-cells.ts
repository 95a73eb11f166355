import type { Attachment, EndpointCells, StateTally } from '../snapshot/messages.ts';
import type { Entry, UpstreamSnapshot } from '../snapshot/model.ts';
import type { AttachmentStore } from './attachment-store.ts';
import type { CellPages } from './cell-pages.ts';

interface UpstreamCells {
  /** In the order of the entry. */
  readonly urls: readonly string[];
  readonly byUrl: ReadonlyMap<string, EndpointCells>;
}

/** Health and in-flight cells of every endpoint, kept over reloads by upstream key and endpoint URL. */
export class EndpointCellStore implements AttachmentStore {
  readonly #pages: CellPages;
  readonly #upstreams = new Map<string, UpstreamCells>();
  /** undefined: removed. */
  readonly #staged = new Map<string, UpstreamCells | undefined>();
  /** Slots of committed upstreams. */
  #held = 0;

  constructor(pages: CellPages) {
    this.#pages = pages;
  }

  stage(entry: Entry): Attachment | undefined {
    if (!entry.key.startsWith('Upstream/')) return undefined;
    this.#unstage(entry.key);
    const current = this.#upstreams.get(entry.key);
    const urls = (JSON.parse(entry.json) as UpstreamSnapshot).endpoints.map(({ url }) => url);
    const byUrl = new Map<string, EndpointCells>();
    for (const url of urls) {
      if (!byUrl.has(url)) byUrl.set(url, current?.byUrl.get(url) ?? this.#pages.take());
    }
    const staged = { urls, byUrl };
    this.#staged.set(entry.key, staged);
    return toAttachment(entry.key, staged);
  }

  stageRemoval(key: string): void {
    this.#unstage(key);
    if (this.#upstreams.has(key)) this.#staged.set(key, undefined);
  }

  async commit(): Promise<StateTally> {
    const before = this.#held;
    let dropped = 0;
    for (const [key, staged] of this.#staged) {
      this.#held += (staged?.byUrl.size ?? 0) - (this.#upstreams.get(key)?.byUrl.size ?? 0);
      for (const [url, cells] of this.#upstreams.get(key)?.byUrl ?? []) {
        if (staged?.byUrl.has(url) === true) continue;
        dropped++;
        this.#pages.free(cells);
      }
      if (staged === undefined) this.#upstreams.delete(key);
      else this.#upstreams.set(key, staged);
    }
    this.#staged.clear();
    return { kept: before - dropped, scaled: 0, dropped };
  }

  abort(): void {
    for (const key of [...this.#staged.keys()]) this.#unstage(key);
  }

  attachment(key: string): Attachment | undefined {
    const upstream = this.#upstreams.get(key);
    return upstream && toAttachment(key, upstream);
  }

  /** Gives back what only the candidate had. */
  #unstage(key: string): void {
    const current = this.#upstreams.get(key);
    for (const [url, cells] of this.#staged.get(key)?.byUrl ?? []) {
      if (current?.byUrl.has(url) !== true) this.#pages.free(cells);
    }
    this.#staged.delete(key);
  }
}

function toAttachment(key: string, { urls, byUrl }: UpstreamCells): Attachment {
  return { kind: 'Upstream', key, cells: urls.map((url) => byUrl.get(url) as EndpointCells) };
}
