import type { MiddlewareDefinition, SharedState } from '../middleware/contract.ts';
import { freshMemory, sharedFate } from '../middleware/shared-fate.ts';
import type { Attachment, StateTally } from '../snapshot/messages.ts';
import type { Entry, MiddlewareSnapshot } from '../snapshot/model.ts';
import type { AttachmentStore } from './attachment-store.ts';

interface Slab {
  readonly type: string;
  readonly hash: string;
  readonly config: unknown;
  readonly buffer: SharedArrayBuffer;
}

/** `fate` tells what happens to the slab that the key has now. */
interface StagedSlab {
  readonly slab: Slab | undefined;
  readonly fate: 'keep' | 'scale' | 'drop';
}

/**
 * Shared memory of middlewares whose definition has `shared`: kept over reloads by the entry's key, adapted in place
 * where the definition says so, replaced otherwise.
 */
export class LimiterMemory implements AttachmentStore {
  readonly #definition: (type: string) => MiddlewareDefinition | undefined;
  readonly #slabs = new Map<string, Slab>();
  readonly #staged = new Map<string, StagedSlab>();

  constructor(definition: (type: string) => MiddlewareDefinition | undefined) {
    this.#definition = definition;
  }

  stage(entry: Entry): Attachment | undefined {
    if (!entry.key.startsWith('Middleware/')) return undefined;
    const current = this.#slabs.get(entry.key);
    const staged = this.#plan(entry, current);
    if (staged.slab === undefined && current === undefined) return undefined;
    this.#staged.set(entry.key, staged);
    return staged.slab && { kind: 'Middleware', key: entry.key, buffer: staged.slab.buffer };
  }

  stageRemoval(key: string): void {
    if (this.#slabs.has(key)) this.#staged.set(key, { slab: undefined, fate: 'drop' });
  }

  async commit(breathe: () => Promise<void> | undefined): Promise<StateTally> {
    let scaled = 0;
    let dropped = 0;
    const before = this.#slabs.size;
    for (const [key, { slab, fate }] of this.#staged) {
      await breathe();
      const current = this.#slabs.get(key);
      if (current !== undefined && fate === 'drop') dropped++;
      if (current !== undefined && slab !== undefined && fate === 'scale') {
        scaled++;
        this.#shared(slab.type)?.change(current.buffer, current.config, slab.config);
      }
      if (slab === undefined) this.#slabs.delete(key);
      else this.#slabs.set(key, slab);
    }
    this.#staged.clear();
    return { kept: before - scaled - dropped, scaled, dropped };
  }

  abort(): void {
    this.#staged.clear();
  }

  attachment(key: string): Attachment | undefined {
    const slab = this.#slabs.get(key);
    return slab && { kind: 'Middleware', key, buffer: slab.buffer };
  }

  /** Committed memory of one middleware type, by entry key. */
  *ofType(type: string): Iterable<readonly [key: string, memory: SharedArrayBuffer]> {
    for (const [key, slab] of this.#slabs) if (slab.type === type) yield [key, slab.buffer];
  }

  #plan(entry: Entry, current: Slab | undefined): StagedSlab {
    if (current?.hash === entry.hash) return { slab: current, fate: 'keep' };
    const { type, config } = JSON.parse(entry.json) as MiddlewareSnapshot;
    const shared = this.#shared(type);
    if (shared === undefined) return { slab: undefined, fate: 'drop' };
    const fate = current?.type === type ? sharedFate(shared, current.config, config) : 'drop';
    const buffer = current !== undefined && fate !== 'drop' ? current.buffer : freshMemory(shared, config);
    return { slab: { type, hash: entry.hash, config, buffer }, fate };
  }

  #shared(type: string): SharedState<unknown> | undefined {
    return this.#definition(type)?.shared;
  }
}
