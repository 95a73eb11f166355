import { explain } from '../controller/explain/explain.ts';
import { splitHeader } from '../controller/explain/explainer.ts';
import type { Explanation } from '../controller/explain/explanation.ts';
import { loadDirectory } from '../controller/load.ts';
import { SimulationRequestError } from '../simulation/request.ts';
import { createSimulator } from '../simulation/simulator.ts';
import { redactText } from '../telemetry/redaction.ts';
import { AdminClientError, createAdminClient, problemText } from './admin-client.ts';
import type { AdminOptions } from './admin-options.ts';
import { CurlCommandError, readCurlCommand } from './curl-command.ts';
import type { WrittenRequest } from './curl-command.ts';
import { renderExplanation } from './explanation-text.ts';
import { sayAbsent } from './absent-paths.ts';
import type { ProgramIo } from './program-io.ts';
import { ShellWordsError } from './shell-words.ts';

export interface ExplainOptions {
  readonly config?: readonly string[];
  /** Ask the gateway whose admin listener this is instead: `HOST:PORT`. */
  readonly admin?: string;
  /** Holds the token that it may ask for. */
  readonly tokenFile?: string;
  /** `name: value` */
  readonly header?: readonly string[];
  /** JSON object; stands in for a token. */
  readonly claims?: string;
  readonly output: 'text' | 'json';
}

/**
 * `mgateway explain`: what becomes of a request and why, by the files or by a gateway that runs; nothing is sent to any
 * upstream. Resolves with the exit code: 0 explained, 1 the gateway does not answer, 2 not understood.
 */
export async function runExplain(
  words: readonly string[],
  options: ExplainOptions,
  io: Pick<ProgramIo, 'env' | 'stdout' | 'stderr'>,
): Promise<number> {
  if (sayAbsent(options.config ?? [], io)) return 2;
  try {
    const request = readRequest(words, options.header ?? []);
    const claims = readClaims(options.claims);
    const explanation =
      options.admin === undefined
        ? await explainFiles(options.config ?? [], request, claims, io)
        : await explainThere({ ...options, admin: options.admin }, request, claims);
    io.stdout.write(
      options.output === 'json'
        ? `${JSON.stringify(explanation, undefined, 2)}\n`
        : renderExplanation(explanation),
    );
    return 0;
  } catch (error) {
    const isAnswer = error instanceof AdminClientError;
    if (!isAnswer && !isUsage(error)) throw error;
    io.stderr.write(`explain: ${redactText(error.message)}\n`);
    return isAnswer ? 1 : 2;
  }
}

class UsageError extends Error {}

function isUsage(error: unknown): error is Error {
  return [UsageError, CurlCommandError, ShellWordsError, SimulationRequestError].some(
    (kind) => error instanceof kind,
  );
}

/** `GET URL`, `URL`, or a whole curl command line; as one word or several. */
function readRequest(words: readonly string[], headers: readonly string[]): WrittenRequest {
  const text = words.join(' ').trim();
  const more = headers.flatMap((line) => {
    try {
      return [...splitHeader(line)];
    } catch (error) {
      throw new UsageError(error instanceof Error ? error.message : String(error));
    }
  });
  if (/^(?:\S*\/)?curl\s/.test(text)) {
    const request = readCurlCommand(text);
    return { ...request, headers: [...request.headers, ...more] };
  }
  const [, method = 'GET', url = ''] = /^(?:([!#$%&'*+.^_`|~\w-]+)\s+)?(\S+)$/.exec(text) ?? [];
  if (url === '') throw new UsageError('give "GET https://host/path", or a curl command line in quotes');
  return { method, url, headers: more };
}

function readClaims(text: string | undefined): Readonly<Record<string, unknown>> | undefined {
  if (text === undefined) return undefined;
  let claims: unknown;
  try {
    claims = JSON.parse(text);
  } catch {
    claims = undefined;
  }
  if (typeof claims === 'object' && claims !== null && !Array.isArray(claims))
    return claims as Readonly<Record<string, unknown>>;
  throw new UsageError('--claims takes a JSON object: {"sub": "7"}');
}

async function explainFiles(
  paths: readonly string[],
  request: WrittenRequest,
  claims: Readonly<Record<string, unknown>> | undefined,
  { env }: Pick<ProgramIo, 'env'>,
): Promise<Explanation> {
  if (paths.length === 0) throw new UsageError('nothing to ask: give --config PATH or --admin HOST:PORT');
  const loaded = await loadDirectory(paths, { offline: true, environment: env, caps: { restMs: 0 } });
  return explain(
    { ...request, ...(claims !== undefined && { claims }) },
    {
      simulator: createSimulator(loaded.entries),
      resources: loaded.resources,
      outcomes: loaded.translation.outcomes,
    },
  );
}

async function explainThere(
  { admin, tokenFile }: AdminOptions,
  { method, url, headers }: WrittenRequest,
  claims: Readonly<Record<string, unknown>> | undefined,
): Promise<Explanation> {
  const lines = headers.flatMap((name, i) => (i % 2 === 0 ? [`${name}: ${headers[i + 1] ?? ''}`] : []));
  const body = { method, url, headers: lines, ...(claims !== undefined && { claims }) };
  const client = createAdminClient({
    admin,
    ...(tokenFile !== undefined && { tokenFile }),
    timeoutMs: 15_000,
  });
  const answer = await client.post('/api/v1/explain', body);
  if (answer.status !== 200) throw new AdminClientError(`${client.url}: ${problemText(answer)}`);
  return answer.json() as Explanation;
}
