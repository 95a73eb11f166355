import type { Exchange, LocalReply, ModuleReply, ResponseHead } from '../contract.ts';
import { isFieldName } from '../field-text.ts';

/** Bytes that cannot end a line: what the codec may write without a second look. */
const fieldText = /^[\t\x20-\x7e\x80-\xff]*$/;
/** The visible characters of a request line. */
const targetText = /^[\x21-\x7e]*$/;
const codeText = /^[A-Z][A-Z0-9_]{0,63}$/;
const reasonText = /^[a-z][a-z0-9_]{0,31}$/;

/** What a module left of the request can be forwarded. Throws otherwise: one line break would be a second request. */
export function checkRequest({ path, query, requestHeaders }: Exchange): void {
  if (typeof path !== 'string' || !path.startsWith('/') || !targetText.test(path) || /[?#]/.test(path)) {
    throw new TypeError('the path cannot be forwarded');
  }
  if (typeof query !== 'string' || !targetText.test(query) || query.includes('#')) {
    throw new TypeError('the query cannot be forwarded');
  }
  checkFields(requestHeaders.raw);
}

/** `before`: the status the module was given. It may be 101, which a module can neither make nor unmake. */
export function checkResponse({ status, headers }: ResponseHead, before: number): void {
  if (status !== before) {
    if (before === 101) throw new TypeError('an upgrade cannot be given another status');
    checkStatus(status);
  }
  checkFields(headers.raw);
}

/** A module's reply, with what it left out. Throws for one that cannot be sent. */
export function completeReply(reply: ModuleReply): LocalReply {
  const { status, code = 'ERR_MODULE_REPLY', detail = '', reason = 'module', headers = [] } = reply;
  checkStatus(status);
  if (typeof code !== 'string' || !codeText.test(code))
    throw new TypeError('code is not of capital letters, digits and _');
  if (typeof reason !== 'string' || !reasonText.test(reason))
    throw new TypeError('reason is not in snake_case');
  if (typeof detail !== 'string') throw new TypeError('detail is not a string');
  checkFields(headers);
  return { status, code, detail, reason, headers };
}

function checkStatus(status: unknown): asserts status is ResponseHead['status'] {
  if (typeof status !== 'number' || !Number.isInteger(status) || status < 200 || status > 599) {
    throw new TypeError('the status is not between 200 and 599');
  }
}

function checkFields(raw: readonly unknown[]): void {
  if (!Array.isArray(raw) || raw.length % 2 !== 0)
    throw new TypeError('headers are name, value, name, value, …');
  for (let i = 0; i < raw.length; i += 2) {
    const [name, value] = [raw[i] as unknown, raw[i + 1] as unknown];
    if (typeof name !== 'string' || !isFieldName(name))
      throw new TypeError('a header has a name that cannot be sent');
    if (typeof value !== 'string' || !fieldText.test(value))
      throw new TypeError(`${name} has a value that cannot be sent`);
  }
}
