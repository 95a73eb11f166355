import type { Middleware } from '../../middleware/contract.ts';
import type { PipelineInstance } from '../../middleware/pipeline.ts';

const prefix = 'Middleware/';

/** A middleware of a generation. Thousands of routes have some each: a name that its key tells is not kept beside it. */
export class BuiltMiddleware implements PipelineInstance {
  /** Entry key: the one copy of it that all its users hold. */
  readonly key: string;
  readonly middleware: Middleware;
  /** Number of the generation that it was made for. */
  readonly since: number;
  private readonly label: string | undefined;

  constructor(key: string, name: string, middleware: Middleware, since: number) {
    this.key = key;
    this.middleware = middleware;
    this.since = since;
    this.label = key.length === prefix.length + name.length && key.endsWith(name) ? undefined : name;
  }

  get name(): string {
    return this.label ?? this.key.slice(prefix.length);
  }
}
