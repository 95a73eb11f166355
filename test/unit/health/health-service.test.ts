import { expect } from 'chai';
import type { Probe } from '../../../src/health/probe.ts';
import { createHealthService } from '../../../src/health/health-service.ts';
import type { HealthService, ServedUpstream } from '../../../src/health/health-service.ts';
import type { HealthCheckSnapshot } from '../../../src/snapshot/model.ts';

interface Setup {
  readonly service: HealthService;
  /** Probes sent and not yet closed. */
  readonly probes: Set<Probe>;
  readonly verdicts: Map<string, boolean | undefined>;
  readonly logged: string[];
  sent(): number;
  /** Ends a probe. */
  answer(probe: Probe, healthy: boolean): void;
  /** Lets the clock run. */
  pass(ms: number): void;
  timers(): number;
  /** Of all timers that were set. */
  longest(): number;
}

function setUp(random = 0.5): Setup {
  let now = 0;
  let sent = 0;
  let longest = 0;
  const timers = new Set<{ readonly at: number; readonly run: () => void }>();
  const probes = new Set<Probe>();
  const verdicts = new Map<string, boolean | undefined>();
  const logged: string[] = [];
  const log = (message: string): void => void logged.push(message);
  const service = createHealthService({
    log: { error: log, warn: log, info: log, debug: log },
    clock: {
      after(ms, run) {
        const timer = { at: now + ms, run };
        timers.add(timer);
        longest = Math.max(longest, ms);
        return () => void timers.delete(timer);
      },
    },
    onVerdict: (upstream, endpoint, healthy) => void verdicts.set(`${upstream} ${endpoint}`, healthy),
    random: () => random,
    send(probe) {
      sent += 1;
      probes.add(probe);
      return () => {
        if (probes.delete(probe)) probe.closed();
      };
    },
  });
  return {
    service,
    probes,
    verdicts,
    logged,
    sent: () => sent,
    answer(probe, healthy) {
      probes.delete(probe);
      probe.done({ healthy, reason: 'said so' });
      probe.closed();
    },
    pass(ms) {
      now += ms;
      for (const timer of [...timers].filter(({ at }) => at <= now)) {
        timers.delete(timer);
        timer.run();
      }
    },
    timers: () => timers.size,
    longest: () => longest,
  };
}

const healthCheck: HealthCheckSnapshot = {
  path: '/healthz',
  intervalMs: 5_000,
  timeoutMs: 1_000,
  healthy: 1,
  unhealthy: 1,
};

function upstream(key: string, ports: readonly number[], check?: HealthCheckSnapshot): ServedUpstream {
  return {
    key,
    snapshot: {
      name: key,
      endpoints: ports.map((port) => ({ url: `http://h:${port}`, tls: false, host: 'h', port, weight: 1 })),
      strategy: 'RoundRobin',
      connectTimeoutMs: 1,
      keepAliveTimeoutMs: 1,
      maxConnections: 1,
      ...(check === undefined ? {} : { healthCheck: check }),
    },
    cells: ports.map((port) => cellOf(key, port)),
  };
}

const memory = new Map<string, SharedArrayBuffer>();
function cellOf(key: string, port: number): { readonly buffer: SharedArrayBuffer; readonly offset: number } {
  const buffer = memory.get(`${key} ${port}`) ?? new SharedArrayBuffer(16);
  memory.set(`${key} ${port}`, buffer);
  return { buffer, offset: 2 };
}
function stored(key: string, port: number): number[] {
  return [...new Int32Array(cellOf(key, port).buffer)];
}
const onlyProbe = ({ probes }: Setup): Probe => {
  expect(probes.size).to.equal(1);
  return [...probes][0] as Probe;
};

describe('createHealthService', () => {
  beforeEach(() => memory.clear());

  it('keeps a verdict and its rhythm over a reload that leaves the check alone', () => {
    const setup = setUp();
    setup.service.update([upstream('a', [1], healthCheck)]);
    expect(stored('a', 1), 'new: healthy, in its own cell alone').to.deep.equal([0, 0, 1, 0]);
    setup.pass(5_000);
    setup.answer(onlyProbe(setup), false);
    expect(stored('a', 1)).to.deep.equal([0, 0, 0, 0]);
    memory.clear();
    setup.pass(4_999);
    setup.service.update([upstream('a', [1], { ...healthCheck }), upstream('b', [1])]);
    expect(stored('a', 1), 'fresh memory learns the verdict').to.deep.equal([0, 0, 0, 0]);
    expect(setup.verdicts.get('a http://h:1')).to.equal(false);
    expect(setup.probes.size).to.equal(0);
    setup.pass(1);
    setup.answer(onlyProbe(setup), true);
    expect(stored('a', 1)[2]).to.equal(1);
    expect(setup.logged).to.deep.equal(['endpoint is unhealthy', 'endpoint is healthy']);
  });

  it('keeps the verdict of a changed check until its first result, which decides alone', () => {
    const setup = setUp();
    setup.service.update([upstream('a', [1], healthCheck)]);
    setup.pass(5_000);
    setup.answer(onlyProbe(setup), false);
    setup.service.update([upstream('a', [1], { ...healthCheck, path: '/right', healthy: 3 })]);
    expect(stored('a', 1)[2]).to.equal(0);
    setup.pass(5_000);
    const probe = onlyProbe(setup);
    expect(probe.check.path).to.equal('/right');
    setup.answer(probe, true);
    expect(stored('a', 1)[2]).to.equal(1);
  });

  it('brings an endpoint back when its check is taken away, and leaves memory of a removed one alone', () => {
    const setup = setUp();
    setup.service.update([upstream('a', [1, 2], healthCheck)]);
    setup.pass(5_000);
    for (const probe of [...setup.probes]) setup.answer(probe, false);
    setup.service.update([upstream('a', [1])]);
    expect(stored('a', 1)[2]).to.equal(1);
    expect(stored('a', 2)[2]).to.equal(0);
    expect([...setup.verdicts.values()]).to.deep.equal([undefined, undefined]);
    expect(setup.timers()).to.equal(0);
  });

  it('hears nothing more of a check that was removed under way, and leaves no timer or probe when closed', () => {
    const setup = setUp();
    setup.service.update([upstream('a', [1], healthCheck), upstream('b', [1], healthCheck)]);
    setup.pass(5_000);
    setup.service.update([upstream('b', [1], healthCheck)]);
    expect(onlyProbe(setup).endpoint.port).to.equal(1);
    setup.service.close();
    expect(setup.probes.size).to.equal(0);
    expect(setup.timers()).to.equal(0);
  });

  it('waits no longer than a timer can, which would fire at once', () => {
    const setup = setUp(1);
    const intervalMs = 399 * 3_600_000 + 9_999 * 60_000;
    setup.service.update([upstream('Upstream/default/u', [1], { ...healthCheck, intervalMs })]);
    setup.pass(10_000);
    for (const probe of setup.probes) setup.answer(probe, true);
    expect([setup.timers(), setup.longest()]).to.deep.equal([1, 2 ** 31 - 1]);
    setup.service.close();
  });

  it('spreads thousands of checks over the interval and sends at most 128 at a time, losing none', () => {
    const setup = setUp();
    const ports = Array.from({ length: 1_000 }, (_, i) => i + 1);
    setup.service.update([upstream('a', ports, healthCheck)]);
    setup.pass(5_000);
    expect(setup.probes.size).to.equal(128);
    while (setup.probes.size > 0) {
      expect(setup.probes.size).to.be.at.most(128);
      for (const probe of [...setup.probes].slice(0, 50)) setup.answer(probe, true);
    }
    expect(setup.sent()).to.equal(1_000);
    expect(setup.timers()).to.equal(1_000);
  });
});
