import type { Decision, Exchange, LocalReply, Middleware } from './contract.ts';
import type { PipelineInstance } from './pipeline.ts';

export interface PipelineDecision {
  /** One for each middleware that the request would reach, in order. */
  readonly steps: readonly { readonly name: string; readonly decision: Decision }[];
  /** The middleware that would answer, if one would for sure. */
  readonly answered?: { readonly by: string; readonly index: number; readonly reply: LocalReply };
}

/**
 * Asks each middleware what it would do to this probe, in order, up to the first that would answer. Nothing is consumed.
 * After an `unknown` the rest is decided as if it let the request pass.
 */
export async function decidePipeline(
  instances: readonly PipelineInstance[],
  exchange: Exchange,
): Promise<PipelineDecision> {
  const steps: { name: string; decision: Decision }[] = [];
  for (const [index, { name, middleware }] of instances.entries()) {
    const decision = await decideOne(middleware, exchange);
    steps.push({ name, decision });
    if (decision.outcome === 'reply' && decision.reply !== undefined) {
      return { steps, answered: { by: name, index, reply: decision.reply } };
    }
  }
  return { steps };
}

async function decideOne(middleware: Middleware, exchange: Exchange): Promise<Decision> {
  try {
    return await middleware.decide(exchange);
  } catch (error) {
    return {
      outcome: 'unknown',
      notes: [`cannot be decided: ${error instanceof Error ? error.message : String(error)}`],
    };
  }
}
