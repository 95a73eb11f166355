import type { SecureContext } from 'node:tls';
import type { EndpointCells } from '../snapshot/messages.ts';
import type { UpstreamSnapshot } from '../snapshot/model.ts';
import type { Logger } from '../telemetry/log.ts';
import type { CheckedEndpoint } from './checked-endpoint.ts';
import { isSameCheck, storeVerdict } from './checked-endpoint.ts';
import type { ProbeResult, SendProbe } from './probe.ts';
import { createProbeSender } from './probe.ts';
import type { Verdict } from './verdict.ts';
import { judge, newVerdict } from './verdict.ts';

/** Timers; milliseconds. */
export interface HealthClock {
  after(ms: number, run: () => void): () => void;
}

export interface HealthServiceOptions {
  readonly log: Logger;
  readonly clock: HealthClock;
  /** `healthy` undefined: no longer checked. */
  readonly onVerdict: (upstream: string, endpoint: string, healthy: boolean | undefined) => void;
  /** From 0 to 1; default: Math.random. */
  readonly random?: () => number;
  /** Whom `https:` endpoints are verified by, as traffic is; made with the first of them. Default: the CAs of Node. */
  readonly trust?: () => SecureContext;
  readonly send?: SendProbe;
}

/** An upstream of the generation being served; `cells` as in Attachment: one for each endpoint, in the same order. */
export interface ServedUpstream {
  readonly key: string;
  readonly snapshot: UpstreamSnapshot;
  readonly cells: readonly EndpointCells[];
}

/** Active health checks of all upstreams, decided once for all workers. */
export interface HealthService {
  /** The whole set of upstreams; call it when a generation is committed. Unchanged checks go on undisturbed. */
  update(upstreams: readonly ServedUpstream[]): void;
  /** Stops every check; verdicts stay in their cells. */
  close(): void;
}

interface Check {
  target: CheckedEndpoint;
  verdict: Verdict;
  /** Cancels the timer or the place in the queue. */
  cancelNext: () => void;
  /** Cancels the probe, also one whose answer is still being read. */
  cancelProbe: () => void;
}

/** Checks under way at a time: main has other things to do. */
const maxConcurrent = 128;
/** First checks of new endpoints start within this much time for each of them, so at most 500 a second. */
const startMsPerCheck = 2;
/** Checks drift apart by up to a tenth of their interval, so that they never beat in step. */
const jitter = 0.1;
/** A longer timer fires at once. */
const maxTimerMs = 2 ** 31 - 1;

export function createHealthService(options: HealthServiceOptions): HealthService {
  const { log, clock, onVerdict, random = Math.random, send = createProbeSender(options.trust) } = options;
  const checks = new Map<string, Check>();
  const queue = new Set<Check>();
  let underWay = 0;

  const runNext = (): void => {
    for (const check of queue) {
      if (underWay >= maxConcurrent) return;
      queue.delete(check);
      run(check);
    }
  };
  const schedule = (check: Check, delayMs: number): void => {
    check.cancelNext = clock.after(Math.min(delayMs, maxTimerMs), () => {
      queue.add(check);
      check.cancelNext = () => void queue.delete(check);
      runNext();
    });
  };
  const run = (check: Check): void => {
    const { endpoint, check: definition } = check.target;
    underWay += 1;
    check.cancelProbe = send({
      endpoint,
      check: definition,
      done: (result) => {
        conclude(check, result);
        schedule(check, definition.intervalMs * (1 - jitter + 2 * jitter * random()));
      },
      closed: () => {
        underWay -= 1;
        runNext();
      },
    });
  };
  const conclude = (check: Check, { healthy, reason }: ProbeResult): void => {
    const { target, verdict } = check;
    check.verdict = judge(verdict, healthy, target.check);
    if (check.verdict.healthy === verdict.healthy) return;
    tell(check);
    const fields = { upstream: target.upstream, endpoint: target.endpoint.url, reason };
    if (healthy) log.info('endpoint is healthy', fields);
    else log.warn('endpoint is unhealthy', fields);
  };
  const tell = ({ target, verdict }: Check): void => {
    storeVerdict(target.cells, verdict.healthy);
    onVerdict(target.upstream, target.endpoint.url, verdict.healthy);
  };
  const stop = (id: string, check: Check): void => {
    cancel(check);
    checks.delete(id);
  };

  return {
    update(upstreams) {
      const wanted = new Map<string, CheckedEndpoint>();
      const unchecked: { readonly id: string; readonly cells: EndpointCells }[] = [];
      for (const target of upstreams.flatMap(endpointsOf)) {
        if ('check' in target) wanted.set(target.id, target);
        else if (checks.has(target.id)) unchecked.push(target);
      }
      // Without a check nothing would ever bring an endpoint back.
      for (const { cells } of unchecked) storeVerdict(cells, true);
      for (const [id, check] of checks) {
        if (wanted.has(id)) continue;
        stop(id, check);
        onVerdict(check.target.upstream, check.target.endpoint.url, undefined);
      }

      const started: Check[] = [];
      for (const [id, target] of wanted) {
        const known = checks.get(id);
        if (known !== undefined && isSameCheck(known.target, target)) {
          known.target = target;
          storeVerdict(target.cells, known.verdict.healthy);
          continue;
        }
        if (known !== undefined) cancel(known);
        // Another check of the same endpoint: its verdict holds until the new check has its first result.
        const verdict = known === undefined ? newVerdict : { ...known.verdict, against: 0, fresh: true };
        const check: Check = { target, verdict, cancelNext: () => {}, cancelProbe: () => {} };
        checks.set(id, check);
        tell(check);
        started.push(check);
      }
      for (const check of started) {
        schedule(check, Math.min(check.target.check.intervalMs, started.length * startMsPerCheck) * random());
      }
    },
    close() {
      for (const [id, check] of checks) stop(id, check);
      queue.clear();
    },
  };
}

function cancel({ cancelNext, cancelProbe }: Check): void {
  cancelNext();
  cancelProbe();
}

type Unchecked = { readonly id: string; readonly cells: EndpointCells };

function endpointsOf({ key, snapshot, cells }: ServedUpstream): (CheckedEndpoint | Unchecked)[] {
  const check = snapshot.healthCheck;
  return snapshot.endpoints.map((endpoint, i) => {
    const own = cells[i];
    if (own === undefined) throw new Error(`${key}: no cell for endpoint ${endpoint.url}`);
    const id = `${key} ${endpoint.url}`;
    return check === undefined
      ? { id, cells: own }
      : { id, upstream: snapshot.name, endpoint, check, cells: own };
  });
}
