import type { KeySource } from '../../middleware/contract.ts';
import type { KeyMaterial } from '../../snapshot/messages.ts';

/** The worker's copy of key bytes; main keeps it up to date. */
export class KeyRing implements KeySource {
  private readonly materials = new Map<string, KeyMaterial>();
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

  take(materials: readonly KeyMaterial[]): void {
    for (const material of materials) this.materials.set(material.id, material);
  }

  refreshed(id: string): void {
    this.waiting.get(id)?.resolve();
    this.waiting.delete(id);
  }
}
