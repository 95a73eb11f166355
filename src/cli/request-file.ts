import { createReadStream } from 'node:fs';
import { createInterface } from 'node:readline';
import type { SimulationRequest } from '../simulation/request.ts';

/** A line that is no request; the message names file and line. */
export class RequestFileError extends Error {
  override readonly name = 'RequestFileError';
}

export interface RequestLine {
  /** From 1. */
  readonly line: number;
  readonly request: SimulationRequest;
}

const fields = ['method', 'url', 'headers', 'claims'];

/**
 * Reads JSON lines: `{"method": "GET", "url": "https://host/path", "headers": {"name": "value"}, "claims": {…}}`. All but `url`
 * may be left out; a header sent several times has a list. Empty lines are passed over.
 * @throws RequestFileError
 */
export async function* readRequests(path: string): AsyncGenerator<RequestLine> {
  let line = 0;
  try {
    for await (const text of createInterface({ input: createReadStream(path), crlfDelay: Infinity })) {
      line += 1;
      if (text.trim() !== '') yield { line, request: readRequest(text) };
    }
  } catch (error) {
    const place = line === 0 ? path : `${path}:${line}`;
    throw new RequestFileError(`${place}: ${error instanceof Error ? error.message : String(error)}`);
  }
}

function readRequest(text: string): SimulationRequest {
  const value: unknown = JSON.parse(text);
  if (!isRecord(value)) throw new Error('must be an object with method, url and headers');
  const unknown = Object.keys(value).find((name) => !fields.includes(name));
  if (unknown !== undefined) throw new Error(`unknown field "${unknown}" (known: ${fields.join(', ')})`);
  const { method = 'GET', url, headers = {}, claims } = value;
  if (typeof method !== 'string') throw new Error('method must be a text');
  if (typeof url !== 'string') throw new Error('url must be a text: https://host/path');
  if (!isRecord(headers)) throw new Error('headers must be an object of names and values');
  if (claims !== undefined && !isRecord(claims)) throw new Error('claims must be an object');
  return { method, url, headers: headerList(headers), ...(claims !== undefined && { claims }) };
}

function headerList(headers: Readonly<Record<string, unknown>>): readonly string[] {
  return Object.entries(headers).flatMap(([name, value]) => {
    const values: readonly unknown[] = Array.isArray(value) ? value : [value];
    return values.flatMap((one) => {
      if (typeof one !== 'string') throw new Error(`headers.${name} must be a text or a list of texts`);
      return [name, one];
    });
  });
}

function isRecord(value: unknown): value is Readonly<Record<string, unknown>> {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}
