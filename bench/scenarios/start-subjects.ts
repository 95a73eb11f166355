import { setTimeout as wait } from 'node:timers/promises';
import { startProcess } from '../process/start.ts';
import { allSubjects } from '../subjects/all.ts';
import type { Subject, Variant } from '../subjects/subject.ts';
import { createToken } from '../subjects/token.ts';
import type { Running } from './running.ts';
import type { Bench } from './scenario.ts';

/** Starts what is installed and wanted, each asked once before it counts; what is left out is said. */
export async function startSubjects(
  bench: Bench,
  variant: Variant,
  upstreamPort: number,
  names: readonly string[] = bench.options.only,
  check: Check = checkSubject,
): Promise<readonly Running[]> {
  const subjects = allSubjects(bench.options);
  const unknown = names.filter((name) => !subjects.some((subject) => subject.name === name));
  if (unknown.length > 0) throw new Error(`no subject is called ${unknown.join(', ')}`);
  const started: Running[] = [];
  for (const subject of subjects) {
    if (names.length > 0 && !names.includes(subject.name)) continue;
    if (!subject.variants.includes(variant)) continue;
    const reason = subject.missing();
    if (reason !== undefined) bench.say(`without ${subject.name}: ${reason}`);
    else started.push(await startSubject(bench, subject, variant, upstreamPort, check));
  }
  return started;
}

type Check = (subject: Subject, variant: Variant, port: number) => Promise<void>;

async function startSubject(
  bench: Bench,
  subject: Subject,
  variant: Variant,
  upstreamPort: number,
  check: Check,
): Promise<Running> {
  const { name, lacks } = subject;
  const port = await bench.nextPort();
  const adminPort = await bench.nextPort();
  const dir = bench.newDir(name);
  const { workers } = bench.options;
  const command = subject.prepare({ variant, port, adminPort, upstreamPort, workers, dir });
  const process = startProcess(name, profiled(bench, name, command), `${dir}.log`, bench.closing);
  await process.listening(port);
  await check(subject, variant, port);
  return { name, port, process, ...(variant === 'full' && lacks !== undefined && { remark: `no ${lacks}` }) };
}

/** With --profile the gateway's threads write a CPU profile each when it ends. */
function profiled(bench: Bench, name: string, command: ReturnType<Subject['prepare']>): typeof command {
  const { profile } = bench.options;
  if (profile === undefined || name !== 'mgateway') return command;
  return { ...command, args: ['--cpu-prof', `--cpu-prof-dir=${profile}`, ...command.args] };
}

/** @throws Error unless it does what is going to be measured. */
async function checkSubject(subject: Subject, variant: Variant, port: number): Promise<void> {
  const url = `http://127.0.0.1:${port}/bench/users/1`;
  const ask = async (): Promise<{ response: Response; body: string }> => {
    const response = await fetch(url, { headers: headersOf(variant) });
    return { response, body: await response.text() };
  };
  let good = await ask();
  // A listener may be open a moment before there is something behind it.
  for (let i = 0; i < 50 && good.response.status !== 200; i++) {
    await wait(100);
    good = await ask();
  }
  const fail = (what: string): never => {
    throw new Error(`${subject.name} (${variant}): ${what}`);
  };
  const { response, body } = good;
  if (response.status !== 200 || body.length !== 128)
    fail(`answers ${response.status}, ${body.length} bytes: ${body.slice(0, 200)}`);
  if (variant === 'plain') return;
  if (response.headers.get('x-bench-res') !== '1') fail('does not set the response header');
  if (!subject.verifiesTokens) return;
  const refused = await fetch(url);
  await refused.text();
  if (refused.status !== 401) fail(`answers ${refused.status} to a request without a token`);
}

export function headersOf(variant: Variant): Readonly<Record<string, string>> {
  return variant === 'full' ? { authorization: `Bearer ${createToken()}` } : {};
}
