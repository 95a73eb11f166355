import type { Command } from '../process/start.ts';

/** What is asked of a proxy: `full` adds JWT, a rate limit, one header each way and metrics, as far as it has them. */
export type Variant = 'plain' | 'full';

export interface Plan {
  readonly variant: Variant;
  readonly port: number;
  /** For an admin listener, where the subject has one. */
  readonly adminPort: number;
  readonly upstreamPort: number;
  readonly workers: number;
  /** An empty folder of its own for configuration and scratch files. */
  readonly dir: string;
}

/** A proxy that can be measured. It listens on 127.0.0.1 and forwards `/bench/` to the upstream, connections kept. */
export interface Subject {
  readonly name: string;
  readonly variants: readonly Variant[];
  /** What of `full` it does not do; said in the table, since it makes it look better than it is. */
  readonly lacks?: string;
  /** Whether `full` refuses a request without a token: checked before anything is measured. */
  readonly verifiesTokens: boolean;
  /** Why it cannot be measured here; undefined: it can. */
  missing(): string | undefined;
  /** Writes its configuration and says how to start it. */
  prepare(plan: Plan): Command;
}
