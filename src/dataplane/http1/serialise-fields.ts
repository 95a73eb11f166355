const VALID_NAME = /^[!#$%&'*+\-.^_`|~0-9A-Za-z]+$/;
/** Also refuses code points above 255, whose low byte (written as latin1) may be a CR or LF. */
const INVALID_VALUE = /[^\t -~\x80-\xff]/;
const FIELD_LINES = /(?:[!#$%&'*+\-.^_`|~0-9A-Za-z]+: [\t -~\x80-\xff]*\r\n)*/y;

/**
 * Field lines for the wire, each `Name: value` with CRLF. Framing and connection fields are left out: the codec writes
 * them itself from what it knows. A field that a middleware made invalid (CR, LF, NUL, a code point that is no latin1,
 * a name that is no token) is left out too, so that nothing can be injected into the message.
 */
export function serialiseFields(raw: readonly string[], keepContentLength: boolean): string {
  let out = '';
  let lines = 0;
  for (let i = 0; i < raw.length; i += 2) {
    const name = raw[i] as string;
    if (isCodecField(name, keepContentLength)) continue;
    out += `${name}: ${raw[i + 1] as string}\r\n`;
    lines++;
  }
  return isExactly(out, lines) ? out : serialiseValid(raw, keepContentLength);
}

/** One look at the whole is cheaper than one at every value: it is valid and has as many lines as there are fields. */
function isExactly(text: string, lines: number): boolean {
  FIELD_LINES.lastIndex = 0;
  FIELD_LINES.test(text);
  if (FIELD_LINES.lastIndex !== text.length) return false;
  let found = 0;
  for (let i = text.indexOf('\n'); i >= 0; i = text.indexOf('\n', i + 1)) found++;
  return found === lines;
}

function serialiseValid(raw: readonly string[], keepContentLength: boolean): string {
  let out = '';
  for (let i = 0; i < raw.length; i += 2) {
    const name = raw[i] as string;
    const value = raw[i + 1] as string;
    if (isCodecField(name, keepContentLength)) continue;
    if (isValidField(name, value)) out += `${name}: ${value}\r\n`;
  }
  return out;
}

/** Can it stand in a message without becoming anything else? */
export function isValidField(name: string, value: string): boolean {
  return VALID_NAME.test(name) && !INVALID_VALUE.test(value);
}

function isCodecField(name: string, keepContentLength: boolean): boolean {
  switch (name.length) {
    case 10: {
      const lower = name.toLowerCase();
      return lower === 'connection' || lower === 'keep-alive';
    }
    case 14:
      return !keepContentLength && name.toLowerCase() === 'content-length';
    case 17:
      return name.toLowerCase() === 'transfer-encoding';
    default:
      return false;
  }
}
