import type { EdgeLimits, ListenerSnapshot } from '../../snapshot/model.ts';
import type { WorkerMetrics } from '../../telemetry/series.ts';
import type { Engine } from '../proxy/engine.ts';
import { ListenError, Listener } from '../proxy/listener.ts';
import type { Ledger } from './candidate.ts';
import type { BoundListener } from './served.ts';
import type { Staged } from './staged.ts';

export interface ListenerContext {
  readonly engine: Engine;
  readonly metrics: WorkerMetrics;
  /** Other workers bind the same addresses. */
  readonly shared: boolean;
}

/**
 * The listeners of the candidate. An address that stays keeps its socket; a new one is bound here, before anything is
 * committed, so that an address in use refuses the candidate and not the traffic.
 */
export async function buildListeners(
  current: ReadonlyMap<string, BoundListener>,
  staged: Staged,
  limits: EdgeLimits,
  ledger: Ledger,
  context: ListenerContext,
): Promise<ReadonlyMap<string, BoundListener>> {
  const snapshots = new Map<string, ListenerSnapshot>();
  for (const [key, { snapshot }] of current) if (!staged.removed.has(key)) snapshots.set(key, snapshot);
  for (const entry of staged.entries('Listener'))
    snapshots.set(entry.key, JSON.parse(entry.json) as ListenerSnapshot);

  const bound = new Map<string, Listener>();
  for (const { listener } of current.values()) bound.set(addressOf(listener.snapshot), listener);

  const next = new Map<string, BoundListener>();
  for (const [key, snapshot] of snapshots) {
    const kept = bound.get(addressOf(snapshot));
    if (kept !== undefined) {
      next.set(key, { snapshot, listener: kept });
      ledger.onCommit.push(() => kept.configure(snapshot, limits));
      continue;
    }
    const listener = new Listener({ snapshot, limits, engine: context.engine, metrics: context.metrics });
    try {
      await listener.listen(context.shared);
      ledger.made({ run: () => listener.destroy() });
      next.set(key, { snapshot, listener });
      ledger.onCommit.push(() => listener.open());
    } catch (error) {
      const code = error instanceof ListenError ? error.code : 'UNKNOWN';
      ledger.fail(key, failureCodes[code] ?? 'Invalid', error);
    }
  }

  const kept = new Set([...next.values()].map(({ listener }) => listener));
  for (const { listener } of current.values()) {
    if (!kept.has(listener)) ledger.onCommit.push(() => listener.drain());
  }
  return next;
}

const failureCodes: Readonly<Record<string, string>> = {
  EADDRINUSE: 'AddressInUse',
  EACCES: 'PermissionDenied',
  EADDRNOTAVAIL: 'AddressNotAvailable',
};

function addressOf(snapshot: ListenerSnapshot): string {
  return `${snapshot.address}:${String(snapshot.port)}`;
}
