import type { PlacedValue } from './document-tree.ts';
import type { FieldPath } from './field-path.ts';
import type { Finding, PlacedFinding } from './finding.ts';
import { placeFinding } from './finding.ts';
import type { PlainReading } from './read-plain-yaml.ts';

/** Of a document that was read without composing a tree: that is done if more than the document's own place is asked. */
export class PlainValue implements PlacedValue {
  readonly value: unknown;
  readonly findings: readonly PlacedFinding[] = [];
  readonly #place: PlainReading['place'];
  readonly #compose: () => PlacedValue | undefined;
  #tree: PlacedValue | undefined;

  constructor({ value, place }: PlainReading, compose: () => PlacedValue | undefined) {
    this.value = value;
    this.#place = place;
    this.#compose = compose;
  }

  place(finding: Finding): PlacedFinding {
    return placeFinding(finding, this.locate(finding.path, finding.on));
  }

  locate(path: FieldPath, on: 'key' | 'value'): PlainReading['place'] {
    if (path.length === 0) return this.#place;
    this.#tree ??= this.#compose();
    return this.#tree?.locate(path, on) ?? this.#place;
  }
}
