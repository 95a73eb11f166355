import type { Listener } from './listener.ts';
import type { Engine } from './engine.ts';

/** How often the end is looked for. */
const lookMs = 20;

/**
 * Stops accepting and lets what runs finish: idle connections close at once, busy ones after their answer. Tunnels and
 * whatever is left after `timeoutMs` are broken.
 */
export async function drain(
  engine: Engine,
  listeners: readonly Listener[],
  timeoutMs: number,
): Promise<void> {
  for (const listener of listeners) listener.drain();
  const open = (): boolean => engine.open > 0 || listeners.some((listener) => listener.openConnections > 0);
  const deadline = engine.clock() + timeoutMs;
  while (open() && engine.clock() < deadline) {
    await new Promise<void>((resolve) => {
      setTimeout(resolve, lookMs);
    });
  }
  for (const tunnel of engine.tunnels) tunnel.end();
  for (const listener of listeners) listener.destroy();
}
