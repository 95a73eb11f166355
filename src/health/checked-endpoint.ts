import type { EndpointCells } from '../snapshot/messages.ts';
import type { EndpointSnapshot, HealthCheckSnapshot } from '../snapshot/model.ts';

/** One endpoint to check, with the cell that every worker reads its verdict from. */
export interface CheckedEndpoint {
  /** Upstream key and endpoint URL: its identity over reloads. */
  readonly id: string;
  /** Metric label. */
  readonly upstream: string;
  readonly endpoint: EndpointSnapshot;
  readonly check: HealthCheckSnapshot;
  readonly cells: EndpointCells;
}

/** Tells every worker at once. */
export function storeVerdict({ buffer, offset }: EndpointCells, healthy: boolean): void {
  Atomics.store(new Int32Array(buffer, offset * Int32Array.BYTES_PER_ELEMENT, 1), 0, healthy ? 1 : 0);
}

/** Whether two checks ask the same question in the same way. */
export function isSameCheck(a: CheckedEndpoint, b: CheckedEndpoint): boolean {
  return (
    a.check.path === b.check.path &&
    a.check.host === b.check.host &&
    a.check.intervalMs === b.check.intervalMs &&
    a.check.timeoutMs === b.check.timeoutMs &&
    a.check.healthy === b.check.healthy &&
    a.check.unhealthy === b.check.unhealthy
  );
}
