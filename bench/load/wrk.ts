import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import type { Closing } from '../process/closing.ts';
import { runChild } from './run-child.ts';
import type { LoadOrder, LoadResult } from './order.ts';

/** One thread of wrk. @throws Error if it says nothing that can be read. */
export async function runWrk(wrk: string, order: LoadOrder, closing: Closing): Promise<LoadResult> {
  const { port, connections, seconds, targets, headers, dir } = order;
  const first = targets[0];
  if (first === undefined) throw new Error('no target');
  const script = join(dir, 'wrk.lua');
  writeFileSync(script, lua(order));
  const args = [
    '-t1',
    `-c${connections}`,
    `-d${Math.max(1, Math.round(seconds))}s`,
    '--latency',
    '-s',
    script,
  ];
  for (const [name, value] of Object.entries(headers)) args.push('-H', `${name}: ${value}`);
  const output = await runChild(wrk, [...args, `http://127.0.0.1:${port}${first.path}`], closing);
  const number = (pattern: RegExp): number => Number(pattern.exec(output)?.[1] ?? NaN);
  const result = {
    requests: number(/^requests (\d+)$/m),
    failures: number(/^failures (\d+)$/m),
    requestsPerSecond: number(/^rate ([\d.]+)$/m),
    p50Ms: number(/^p50 ([\d.]+)$/m) / 1000,
    p99Ms: number(/^p99 ([\d.]+)$/m) / 1000,
    bodyBytes: number(/^bytes ([\d.]+)$/m),
  };
  if (!Number.isFinite(result.requests)) throw new Error(`wrk: ${output}`);
  return result;
}

/** Figures exact instead of rounded; several targets in turn, their requests written beforehand. */
function lua({ targets }: LoadOrder): string {
  const rotation = `local requests, n = {}, 0
function init(args)
${targets.map(({ path, host }, i) => `  requests[${i}] = wrk.format(nil, ${quote(path)}, ${host === undefined ? 'nil' : `with(${quote(host)})`})`).join('\n')}
end
function with(host)
  local headers = { ["Host"] = host }
  for name, value in pairs(wrk.headers) do if name ~= "Host" then headers[name] = value end end
  return headers
end
function request()
  n = (n + 1) % ${targets.length}
  return requests[n]
end
`;
  const done = `function done(summary, latency)
  local e = summary.errors
  io.write(string.format("requests %d\\nfailures %d\\nrate %f\\np50 %f\\np99 %f\\nbytes %.0f\\n", summary.requests,
    e.connect + e.read + e.write + e.status + e.timeout, summary.requests / summary.duration * 1e6,
    latency:percentile(50), latency:percentile(99), summary.bytes))
end
`;
  // Without a script for requests wrk writes its one request once: less work for the generator.
  return targets.length === 1 && targets[0]?.host === undefined ? done : rotation + done;
}

function quote(text: string): string {
  return JSON.stringify(text);
}
