import type { Listener } from './listener.ts';
import type { Engine } from './engine.ts';

/** How often the end is looked for. */
const lookMs = 20;
/** Tunnels told to end between two turns of the loop: the answers of the others must not wait for them. */
const atOnce = 100;

/** Before the drain: every answer says that its connection closes after it, so that clients go elsewhere by themselves. */
export function windDown(engine: Engine, listeners: readonly Listener[]): void {
  engine.windingDown = true;
  for (const listener of listeners) listener.windDown();
}

/**
 * Stops accepting and lets what runs finish: idle connections close when no request was on its way, busy ones after
 * their answer, tunnels by a Close frame. Whatever is left after `timeoutMs` is broken.
 */
export async function drain(
  engine: Engine,
  listeners: readonly Listener[],
  timeoutMs: number,
): Promise<void> {
  windDown(engine, listeners);
  for (const listener of listeners) listener.drain();
  const deadline = engine.clock() + timeoutMs;
  for (const [i, exchange] of engine.open.list().entries()) {
    if (i % atOnce === atOnce - 1) await pause(0);
    exchange.gatewayStops();
  }
  const open = (): boolean =>
    engine.open.size > 0 || listeners.some((listener) => listener.openConnections > 0);
  while (open() && engine.clock() < deadline) await pause(lookMs);
  for (const exchange of engine.open.list()) if (exchange.status === 101) exchange.finish(101);
  for (const listener of listeners) listener.destroy();
}

function pause(ms: number): Promise<void> {
  return new Promise((resolve) => {
    setTimeout(resolve, ms);
  });
}
