const redacted = '[redacted]';
/** Names of fields whose value is a secret whatever it looks like; compared without case, `-` and `_`. */
const secretName =
  /authorization|cookie|token|secret|passw(or)?d|passphrase|credential|apikey|privatekey|signature|sessionid/;
/** Names that only sound like one. */
const harmlessName = /^(tokens|tokencount|secretname|tokentype)$/;
/** A compact JWS or JWE: base64url parts with dots between, the first being a JSON object (`{"` is `eyJ`). */
const jwt = /eyJ[\w-]{4,}(?:\.[\w-]*){2,4}/g;
const credentials = /\b(Bearer|Basic|Negotiate|Digest)\s+[\w+/=.~-]{6,}/gi;
/** The password ends with the last `@`; a scheme without an end to its length would be looked for from each of its letters. */
const urlPassword = /(\b[a-z][a-z0-9+.-]{0,30}:\/\/[^\s/:@]*):[^\s/]+@/gi;

const maxDepth = 8;
const maxItems = 200;
const maxText = 16_384;

export type PlainFields = Readonly<Record<string, unknown>>;

/**
 * A copy of log fields that is plain data (can be printed as JSON and posted between threads) and holds no secret: neither
 * under a name that says so nor in any string that looks like one. Long texts, deep and circular things are cut.
 */
export function redactFields(fields: PlainFields): PlainFields {
  return redactObject(fields, 0, new Set());
}

/** Takes what looks like a token, credentials or a password in a URL out of a text. */
export function redactText(text: string): string {
  const short = text.length > maxText ? `${text.slice(0, maxText)}…` : text;
  return short
    .replace(jwt, redacted)
    .replace(credentials, `$1 ${redacted}`)
    .replace(urlPassword, `$1:${redacted}@`);
}

function redactValue(name: string, value: unknown, depth: number, above: Set<object>): unknown {
  if (isSecretName(name) && value !== undefined && value !== null && typeof value !== 'boolean')
    return redacted;
  switch (typeof value) {
    case 'string':
      return redactText(value);
    case 'number':
      return Number.isFinite(value) ? value : String(value);
    case 'boolean':
    case 'undefined':
      return value;
    case 'object':
      return value === null ? null : redactThing(value, depth, above);
    case 'bigint':
      return String(value);
    case 'function':
    case 'symbol':
      return undefined;
  }
}

function redactThing(value: object, depth: number, above: Set<object>): unknown {
  if (above.has(value)) return '[circular]';
  if (depth >= maxDepth) return '[too deep]';
  if (value instanceof Date) return Number.isNaN(value.getTime()) ? 'Invalid Date' : value.toISOString();
  if (value instanceof URL) return redactText(value.href);
  // Bytes are keys more often than they are anything one wants to read.
  if (ArrayBuffer.isView(value)) return `[${value.byteLength} bytes]`;
  if (value instanceof ArrayBuffer || value instanceof SharedArrayBuffer)
    return `[${value.byteLength} bytes]`;
  above.add(value);
  try {
    if (value instanceof Error) return redactError(value, depth, above);
    if (value instanceof Map) return redactObject(Object.fromEntries(value) as PlainFields, depth, above);
    if (Array.isArray(value) || value instanceof Set) {
      return [...(value as Iterable<unknown>)]
        .slice(0, maxItems)
        .map((item) => redactValue('', item, depth + 1, above) ?? null);
    }
    return redactObject(value as PlainFields, depth, above);
  } finally {
    above.delete(value);
  }
}

function redactError(error: Error, depth: number, above: Set<object>): PlainFields {
  const { code, cause } = error as { readonly code?: unknown; readonly cause?: unknown };
  return {
    name: error.name,
    message: redactText(error.message),
    ...(typeof code === 'string' || typeof code === 'number' ? { code } : {}),
    ...(error.stack === undefined ? {} : { stack: redactText(error.stack) }),
    ...(cause === undefined ? {} : { cause: redactValue('', cause, depth + 1, above) }),
  };
}

function redactObject(fields: PlainFields, depth: number, above: Set<object>): PlainFields {
  const copy: Record<string, unknown> = Object.create(null) as Record<string, unknown>;
  for (const [name, value] of Object.entries(fields).slice(0, maxItems)) {
    const plain = redactValue(name, value, depth + 1, above);
    if (plain !== undefined) copy[name] = plain;
  }
  // Without a prototype a field called `__proto__` is a field; spread again, it stays one.
  return { ...copy };
}

function isSecretName(name: string): boolean {
  const plain = name.toLowerCase().replaceAll(/[-_.\s]/g, '');
  return secretName.test(plain) && !harmlessName.test(plain);
}
