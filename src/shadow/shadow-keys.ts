import type { KeySource } from '../middleware/contract.ts';
import type { KeyMaterial } from '../snapshot/messages.ts';
import type { KeyReference, MiddlewareSnapshot } from '../snapshot/model.ts';
import type { MainToShadow, ShadowToMain } from '../snapshot/shadow-messages.ts';
import type { Configuration } from './configuration.ts';

/** The keys that both configurations verify tokens with, as far as main has them or can read them from a file. */
export class ShadowKeys implements KeySource {
  readonly #send: (message: ShadowToMain) => void;
  #materials = new Map<string, KeyMaterial>();
  #asked = 0;
  #answered = 0;

  constructor(send: (message: ShadowToMain) => void) {
    this.#send = send;
  }

  /** False: main has not answered yet. */
  get ready(): boolean {
    return this.#answered === this.#asked;
  }

  get(id: string): KeyMaterial | undefined {
    return this.#materials.get(id);
  }

  /** Nobody is asked for newer ones because of a comparison. */
  refresh(): Promise<void> {
    return Promise.resolve();
  }

  /** Asks main for those that these configurations name; all others are forgotten. */
  want(configurations: readonly (Configuration | undefined)[]): void {
    const references = new Map<string, KeyReference>();
    for (const configuration of configurations) {
      for (const { key, json } of configuration?.simulator.entries.values() ?? []) {
        if (!key.startsWith('Middleware/')) continue;
        for (const reference of (JSON.parse(json) as MiddlewareSnapshot).keys)
          references.set(reference.id, reference);
      }
    }
    this.#send({ type: 'KeysWanted', id: ++this.#asked, references: [...references.values()] });
  }

  take({ materials, answers }: Extract<MainToShadow, { type: 'Keys' }>): void {
    if (answers !== undefined) {
      // An older question: another answer is on its way.
      if (answers !== this.#asked) return;
      this.#answered = answers;
      this.#materials = new Map();
    }
    for (const material of materials) this.#materials.set(material.id, material);
  }
}
