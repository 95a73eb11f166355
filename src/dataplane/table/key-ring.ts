import type { KeySource } from '../../middleware/contract.ts';
import type { KeyMaterial } from '../../snapshot/messages.ts';

/** Key bytes of a candidate, until it is decided what becomes of it. */
export interface StagedKeys {
  /** What the candidate's middlewares are built with: they see its keys at once, those being served never do. */
  candidate(): KeySource;
  commit(): void;
  abort(): void;
}

/** The worker's copy of key bytes; main keeps it up to date. */
export class KeyRing implements KeySource, StagedKeys {
  private readonly materials = new Map<string, KeyMaterial>();
  private staged = new Map<string, KeyMaterial>();
  private readonly waiting = new Map<
    string,
    { readonly promise: Promise<void>; readonly resolve: () => void }
  >();
  private readonly ask: (id: string) => void;

  /** `ask` sends main the wish for a newer key set. */
  constructor(ask: (id: string) => void) {
    this.ask = ask;
  }

  get(id: string): KeyMaterial | undefined {
    return this.materials.get(id);
  }

  /** Many requests with an unknown `kid` make one question. */
  refresh(id: string): Promise<void> {
    const before = this.waiting.get(id);
    if (before !== undefined) return before.promise;
    let resolve = (): void => undefined;
    const promise = new Promise<void>((done) => {
      resolve = done;
    });
    this.waiting.set(id, { promise, resolve });
    this.ask(id);
    return promise;
  }

  /** Newer material of what is served. */
  take(materials: readonly KeyMaterial[]): void {
    for (const material of materials) {
      this.materials.set(material.id, material);
      this.staged.delete(material.id);
    }
  }

  stage(materials: readonly KeyMaterial[]): void {
    for (const material of materials) this.staged.set(material.id, material);
  }

  candidate(): KeySource {
    const { staged } = this;
    return {
      get: (id) => staged.get(id) ?? this.get(id),
      refresh: (id) => this.refresh(id),
    };
  }

  commit(): void {
    const staged = [...this.staged.values()];
    this.take(staged);
    // What was built with them looks into the old one, which is empty now.
    this.staged = new Map();
  }

  abort(): void {
    this.staged = new Map();
  }

  /** Nothing that is served needs them any more. */
  forget(ids: readonly string[]): void {
    for (const id of ids) this.materials.delete(id);
  }

  refreshed(id: string): void {
    this.waiting.get(id)?.resolve();
    this.waiting.delete(id);
  }
}
