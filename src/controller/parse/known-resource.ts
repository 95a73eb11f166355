import type { Resource } from '../../resources/generated.ts';
import type { FieldPath } from './field-path.ts';
import type { PlacedFinding } from './finding.ts';
import type { ReadResource } from './resource-reader.ts';

/** What is known of one resource of a text, whatever file the text is in. */
export class KnownResource {
  readonly prefix: FieldPath;
  readonly key: string | undefined;
  readonly kind: ReadResource['kind'];
  readonly namespace: string;
  readonly name: string;
  readonly hash: string;
  readonly line: number;
  readonly column: number;
  readonly findings: readonly PlacedFinding[];
  readonly accepted: boolean;
  #json: string | undefined;
  #wasDropped = false;

  constructor({ prefix, key, kind, namespace, name, hash, place, findings, resource }: ReadResource) {
    this.prefix = prefix;
    this.key = key;
    this.kind = kind;
    this.namespace = namespace;
    this.name = name;
    this.hash = hash;
    this.line = place.line;
    this.column = place.column;
    this.findings = findings;
    this.accepted = resource !== undefined;
    this.#json = resource && JSON.stringify(resource);
  }

  /**
   * The resource, made anew. Most are asked for once, when they are translated: from then on their text is all that is kept,
   * and `again` reads it. What is asked for after that is kept as JSON, as it will be asked for at each reload. `again` reads a
   * whole text: so the items of a List stay.
   */
  resource(again: () => Resource | undefined): Resource | undefined {
    if (!this.accepted) return undefined;
    const json = this.#json;
    if (json === undefined) {
      const resource = again();
      this.#json = JSON.stringify(resource);
      return resource;
    }
    if (!this.#wasDropped && this.prefix.length === 0) {
      this.#wasDropped = true;
      this.#json = undefined;
    }
    return JSON.parse(json) as Resource;
  }
}
