import { SimulationRequestError, toWire } from '../simulation/request.ts';
import type { Reply } from './reply.ts';
import { jsonReply, problemReply } from './reply.ts';

/** What can be asked under `/api/v1/`; all of it only reads. */
export const queryNames = [
  'status',
  'resources',
  'routes',
  'upstreams',
  'generations',
  'explain',
  'shadow',
] as const;
export type QueryName = (typeof queryNames)[number];

/** Answers with what JSON can print; rejects if it cannot tell. */
export type Query = (name: QueryName, args: QueryArguments) => Promise<unknown>;

/** Arguments of `explain`; of the others: the parameters of the URL, as text. */
export interface ExplainArguments {
  readonly method: string;
  /** Absolute. */
  readonly url: string;
  /** `name: value` */
  readonly headers: readonly string[];
  /** Stand in for a verified token. */
  readonly claims?: Readonly<Record<string, unknown>>;
}
export type QueryArguments = ExplainArguments | Readonly<Record<string, string>>;

const maxHeaders = 100;

export function isQueryName(text: string): text is QueryName {
  return (queryNames as readonly string[]).includes(text);
}

/** Answers `/api/v1/<name>?<parameters>`; `body`: the JSON that `explain` was sent instead of parameters. */
export async function answerQuery(
  name: QueryName,
  parameters: URLSearchParams,
  query: Query,
  body?: string,
): Promise<Reply> {
  const args =
    name !== 'explain'
      ? Object.fromEntries(parameters)
      : body === undefined
        ? explainArguments(parameters)
        : explainBody(body);
  if (typeof args === 'string') return problemReply(400, 'ERR_ADMIN_BAD_REQUEST', args);
  try {
    return jsonReply(await query(name, args));
  } catch (error) {
    const reason = error instanceof Error ? error.message : 'unknown';
    return problemReply(503, 'ERR_ADMIN_QUERY_FAILED', reason);
  }
}

/** Reads `?url=…&method=GET&header=k:%20v&header=…`; a text says what is wrong. */
function explainArguments(parameters: URLSearchParams): ExplainArguments | string {
  const url = parameters.get('url') ?? '';
  const method = parameters.get('method') ?? 'GET';
  const headers = parameters.getAll('header');
  return whatIsWrong(url, method, headers) ?? { method, url, headers };
}

/** Reads `{ "method": …, "url": …, "headers": ["k: v"], "claims": { … } }`: tokens have no place in a URL. */
function explainBody(body: string): ExplainArguments | string {
  let given: unknown;
  try {
    given = JSON.parse(body);
  } catch {
    given = undefined;
  }
  if (typeof given !== 'object' || given === null) return 'the body must be a JSON object';
  const { url = '', method = 'GET', headers = [], claims } = given as Readonly<Record<string, unknown>>;
  if (typeof url !== 'string' || typeof method !== 'string') return 'url and method must be texts';
  if (!isTexts(headers)) return 'headers must be a list of texts';
  if (claims !== undefined && (typeof claims !== 'object' || claims === null || Array.isArray(claims)))
    return 'claims must be an object';
  return (
    whatIsWrong(url, method, headers) ?? {
      method,
      url,
      headers,
      ...(claims !== undefined && { claims: claims as Readonly<Record<string, unknown>> }),
    }
  );
}

function isTexts(value: unknown): value is readonly string[] {
  return Array.isArray(value) && value.every((item) => typeof item === 'string');
}

function whatIsWrong(url: string, method: string, headers: readonly string[]): string | undefined {
  if (!URL.canParse(url) || !/^https?:\/\//i.test(url)) return 'url: must be an absolute http or https URL';
  if (!/^[!#$%&'*+.^_`|~\w-]{1,64}$/.test(method)) return 'method: not a method name';
  if (headers.length > maxHeaders) return `header: at most ${maxHeaders}`;
  if (!headers.every((header) => /^[!#$%&'*+.^_`|~\w-]+:[^\r\n\0]*$/.test(header))) {
    return 'header: must be `name: value`';
  }
  return whyUnsendable(url, method, headers);
}

/** The config thread finds it too, but its errors are those of a gateway that cannot tell. */
function whyUnsendable(url: string, method: string, headers: readonly string[]): string | undefined {
  const fields = headers.flatMap((line) => {
    const colon = line.indexOf(':');
    return [line.slice(0, colon), line.slice(colon + 1).trim()];
  });
  try {
    toWire({ method, url, headers: fields });
    return undefined;
  } catch (error) {
    if (error instanceof SimulationRequestError) return error.message;
    throw error;
  }
}
