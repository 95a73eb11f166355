import type { SharedState } from './contract.ts';

/**
 * What a change of definition means for the memory. `change` both answers and acts, so it is asked on memory that
 * nobody uses: the candidate may still be refused.
 */
export function sharedFate(
  shared: SharedState<unknown>,
  from: unknown,
  to: unknown,
): 'keep' | 'scale' | 'drop' {
  // Memory cannot grow or shrink in place.
  if (shared.bytes(from) !== shared.bytes(to)) return 'drop';
  return shared.change(freshMemory(shared, from), from, to);
}

export function freshMemory(shared: SharedState<unknown>, config: unknown): SharedArrayBuffer {
  const memory = new SharedArrayBuffer(shared.bytes(config));
  shared.init(memory, config);
  return memory;
}
