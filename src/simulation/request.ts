import { domainToASCII } from 'node:url';
import type { Claims } from '../middleware/claims.ts';
import { toFieldValue } from '../routing/field-value.ts';
import { HeaderList } from '../routing/header-list.ts';
import { wellFormed } from '../routing/well-formed.ts';

/** A request to be decided without being sent. */
export interface SimulationRequest {
  readonly method: string;
  /** Absolute, as a client would be given it: `https://host/path?query`. Its port does not matter. */
  readonly url: string;
  /** Name, value, name, value, … as text, which is sent as UTF-8. */
  readonly headers?: readonly string[];
  /** Stand in for a verified token. */
  readonly claims?: Claims;
  /** Only routes of this listener; default: those of all. */
  readonly listener?: string;
  /** Address of the connection's other end; default 127.0.0.1. */
  readonly peer?: string;
}

/** The request cannot be sent by anybody; the message is for its author. */
export class SimulationRequestError extends Error {
  override readonly name = 'SimulationRequestError';
}

/** What a client would put on the wire. */
export interface WireRequest {
  readonly method: string;
  readonly scheme: 'http' | 'https';
  readonly authority: string;
  /** Origin form. */
  readonly target: string;
  /** With Host; a list of its own. */
  readonly headers: HeaderList;
}

/** A request as it came, and how. */
export interface Arrival extends WireRequest {
  /** Of which only the routes count; undefined: those of all. */
  readonly listener: string | undefined;
  /** Address of the connection's other end. */
  readonly peer: string;
}

const absoluteUrl = /^(https?):\/\/([^/?#]*)([^?#]*)(?:\?([^#]*))?(?:#.*)?$/is;
const token = /^[!#$%&'*+.^_`|~\w-]+$/;
const fieldValue = /^[\t\x20-\x7e\x80-\uffff]*$/;

/**
 * Reads the URL as clients do, but leaves the path as it is written: what a client makes of `/a/../b` is its own affair, what
 * the gateway makes of it is the question. User information becomes `Authorization`, as with curl.
 * @throws SimulationRequestError
 */
export function toWire({ method, url, headers = [] }: SimulationRequest): WireRequest {
  if (!token.test(method)) throw new SimulationRequestError(`"${method}" is not a method`);
  if (method === 'CONNECT')
    throw new SimulationRequestError('CONNECT asks for a tunnel: the gateway makes none and answers 501');
  const parts = absoluteUrl.exec(url);
  if (parts === null) {
    throw new SimulationRequestError('the URL must be absolute: http://host/path or https://host/path');
  }
  const [, scheme = '', full = '', path = '', query] = parts;
  const at = full.lastIndexOf('@');
  const authority = inAscii(full.slice(at + 1));
  if (authority === '') throw new SimulationRequestError('the URL has no host');
  const list = new HeaderList([]);
  for (let i = 0; i < headers.length; i += 2) {
    const [name = '', value = ''] = headers.slice(i, i + 2);
    if (!token.test(name)) throw new SimulationRequestError(`"${name}" is not a header name`);
    if (!fieldValue.test(value)) throw new SimulationRequestError(`the value of ${name} cannot be sent`);
    list.add(name, toFieldValue(value));
  }
  if (list.getAll('host').length > 1)
    throw new SimulationRequestError('a request with more than one Host is answered 400');
  if (!list.has('host')) list.raw.unshift('host', authority);
  if (at >= 0 && !list.has('authorization')) list.add('authorization', basic(full.slice(0, at)));
  return {
    method,
    scheme: scheme.toLowerCase() === 'https' ? 'https' : 'http',
    authority: list.get('host') ?? authority,
    target: escaped(path === '' ? '/' : path) + (query === undefined ? '' : `?${escaped(query)}`),
    headers: list,
  };
}

/** Clients send what is not ASCII as escaped UTF-8. */
function escaped(text: string): string {
  return text.replace(/[^\x00-\x7f]+/g, (letters) => encodeURIComponent(wellFormed(letters)));
}

/** Host names go by their ASCII form (RFC 5891); what has none is left for the gateway to refuse. */
function inAscii(authority: string): string {
  if (/^[\x00-\x7f]*$/.test(authority)) return authority;
  const [, host = '', port = ''] = /^(.*?)(:\d*)?$/s.exec(authority) ?? [];
  const name = domainToASCII(host);
  return name === '' ? authority : name + port;
}

/** RFC 7617, in UTF-8. */
function basic(user: string): string {
  return `Basic ${Buffer.from(user, 'utf8').toString('base64')}`;
}
