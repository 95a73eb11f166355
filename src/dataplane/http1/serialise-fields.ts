import { isField } from '../../routing/is-field.ts';

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
  return serialiseHead('', raw, keepContentLength, '');
}

/** The same between a start line and what the codec adds, as one text: made in one piece, looked at in one piece. */
export function serialiseHead(
  startLine: string,
  raw: readonly string[],
  keepContentLength: boolean,
  codecLines: string,
): string {
  let text = startLine;
  let lines = 0;
  for (let i = 0; i < raw.length; i += 2) {
    const name = raw[i] as string;
    if (isCodecField(name, keepContentLength)) continue;
    text += `${name}: ${raw[i + 1] as string}\r\n`;
    lines++;
  }
  const end = text.length;
  text += codecLines;
  if (isExactly(text, startLine.length, end, lines)) return text;
  return startLine + serialiseValid(raw, keepContentLength) + codecLines;
}

/** One look at the whole is cheaper than one at every value: it is valid and has as many lines as there are fields. */
function isExactly(text: string, from: number, to: number, lines: number): boolean {
  FIELD_LINES.lastIndex = from;
  FIELD_LINES.test(text);
  if (FIELD_LINES.lastIndex < to) return false;
  let found = 0;
  for (let i = text.indexOf('\n', from); i >= 0 && i < to; i = text.indexOf('\n', i + 1)) found++;
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
    case 10:
      return isField(name, 'connection') || isField(name, 'keep-alive');
    case 14:
      return !keepContentLength && isField(name, 'content-length');
    case 17:
      return isField(name, 'transfer-encoding');
    default:
      return false;
  }
}
