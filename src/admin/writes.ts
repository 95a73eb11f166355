import type { IncomingMessage } from 'node:http';
import type { CommandResult } from '../snapshot/messages.ts';
import { parseDuration } from '../snapshot/units.ts';
import type { Gate } from './gate.ts';
import { readJsonBody } from './read-json-body.ts';
import type { Reply } from './reply.ts';
import { jsonReply, problemReply } from './reply.ts';

export type CommandName = 'rollback' | 'resume';

export interface RollbackArguments {
  readonly generation: number;
  /** Absent: until the source changes or `resume`. */
  readonly forMs?: number;
}

/** Rejects if the config thread cannot do it at the moment. */
export type Command = (
  name: CommandName,
  args: RollbackArguments | Readonly<Record<string, never>>,
) => Promise<CommandResult>;

export function isCommandName(text: string): text is CommandName {
  return text === 'rollback' || text === 'resume';
}

/** Answers `POST /api/v1/<name>` with a JSON object: `{ "generation": 7, "for": "30m" }`, `{}`. */
export async function answerWrite(
  name: CommandName,
  request: IncomingMessage,
  { gate, command }: { readonly gate: Gate; readonly command: Command },
): Promise<Reply> {
  const refusal = request.method === 'POST' ? gate.write(request) : postOnly;
  if (refusal !== undefined) {
    request.resume();
    return refusal;
  }
  const body = await readJsonBody(request);
  if (typeof body !== 'string') return body;
  const args = readArguments(name, body);
  if (typeof args === 'string') return problemReply(400, 'ERR_ADMIN_BAD_REQUEST', args);
  let result;
  try {
    result = await command(name, args);
  } catch (error) {
    const reason = error instanceof Error ? error.message : 'unknown';
    return problemReply(503, 'ERR_ADMIN_QUERY_FAILED', reason);
  }
  if (result.done) return jsonReply(result.value);
  return result.reason === 'UnknownGeneration'
    ? problemReply(404, 'ERR_ADMIN_GENERATION_UNKNOWN', result.message)
    : problemReply(409, 'ERR_ADMIN_ROLLBACK_REFUSED', result.message);
}

const postOnly = problemReply(405, 'ERR_ADMIN_METHOD_NOT_ALLOWED', 'POST only', { allow: 'POST' });

const maxForMs = 30 * 24 * 3_600_000;

/** A text says what is wrong. */
function readArguments(name: CommandName, body: string): Parameters<Command>[1] | string {
  const given = parseObject(body);
  if (given === undefined) return 'the body must be a JSON object';
  const known = name === 'rollback' ? ['generation', 'for'] : [];
  const unknown = Object.keys(given).find((field) => !known.includes(field));
  if (unknown !== undefined) return `unknown field ${JSON.stringify(unknown)}`;
  if (name === 'resume') return {};
  const { generation, for: time } = given;
  if (typeof generation !== 'number' || !Number.isSafeInteger(generation) || generation < 1)
    return 'generation: must be a number from 1';
  if (time === undefined) return { generation };
  const forMs = durationOf(time);
  if (forMs === undefined || forMs < 1000 || forMs > maxForMs)
    return 'for: must be a duration from 1s to 720h, such as 30m';
  return { generation, forMs };
}

function durationOf(value: unknown): number | undefined {
  try {
    return typeof value === 'string' ? parseDuration(value) : undefined;
  } catch {
    return undefined;
  }
}

function parseObject(text: string): Readonly<Record<string, unknown>> | undefined {
  try {
    const value: unknown = JSON.parse(text);
    const isObject = typeof value === 'object' && value !== null && !Array.isArray(value);
    return isObject ? (value as Readonly<Record<string, unknown>>) : undefined;
  } catch {
    return undefined;
  }
}
