import { isIP } from 'node:net';
import { normalizePath } from '../../routing/normalize.ts';
import { compileRegex, RegexError } from '../../routing/regex.ts';
import { parseDuration } from '../../snapshot/units.ts';

/** What is wrong with a text, and what to write instead where that can be told. */
export interface TextProblem {
  readonly message: string;
  readonly hint?: string;
}

export type TextCheck = (text: string) => TextProblem | undefined;

/** Checks that a pattern cannot say, by the names that schemas use (`x-mgateway-format`). */
export const formats: Readonly<Record<string, TextCheck>> = {
  address,
  cidr,
  hostname,
  origin,
  path,
  pathTemplate,
  positiveDuration,
  regex,
  url,
};

function address(text: string): TextProblem | undefined {
  if (isIP(text) !== 0) return undefined;
  const hint = text === 'localhost' ? 'did you mean "127.0.0.1"?' : undefined;
  return problem(`must be an IP address, not ${quote(text)}`, hint);
}

function cidr(text: string): TextProblem | undefined {
  const slash = text.indexOf('/');
  const version = isIP(slash < 0 ? text : text.slice(0, slash));
  if (version === 0) {
    return problem(`must be an IP address or a CIDR block such as 10.0.0.0/8, not ${quote(text)}`);
  }
  if (slash < 0) return undefined;
  const bits = text.slice(slash + 1);
  const most = version === 4 ? 32 : 128;
  if (/^(?:0|[1-9]\d{0,2})$/.test(bits) && Number(bits) <= most) return undefined;
  return problem(`must end in a prefix length from /0 to /${most}, not ${quote('/' + bits)}`);
}

const label = /^(?!-)[a-z0-9_-]{1,63}(?<!-)$/;

function hostname(text: string): TextProblem | undefined {
  const name = text.startsWith('*.') ? text.slice(2) : text;
  if (isIP(name) === 4 || (name !== '' && name.split('.').every((part) => label.test(part))))
    return undefined;
  return problem(
    `must be a host name such as api.example.com or *.example.com, not ${quote(text)}`,
    hostnameHint(text),
  );
}

function hostnameHint(text: string): string | undefined {
  if (text === '*') return 'leave hostnames out to match any host';
  const lower = text.toLowerCase();
  if (lower !== text && hostname(lower) === undefined) return `write it in lower case: "${lower}"`;
  if (text.endsWith('.')) return 'write it without the dot at the end';
  if (text.includes('://') || text.includes('/')) return 'write the host alone';
  if (/:\d+$/.test(text)) return 'write it without the port; `listeners` chooses the port';
  if (text.includes('*')) return 'a wildcard stands for whole labels at the start: "*.example.com"';
  return beyondAscii.test(text) ? 'write it in its ASCII form (xn--…)' : undefined;
}

/** `http://host:port`: where to connect, and nothing else. */
function origin(text: string): TextProblem | undefined {
  const wrong = url(text);
  if (wrong !== undefined) return wrong;
  const parsed = new URL(text);
  if (parsed.search !== '' || parsed.hash !== '' || /[?#]/.test(text)) {
    return problem('an endpoint has no query and no fragment', `write "${parsed.origin}"`);
  }
  if (parsed.pathname !== '/') {
    return problem(
      'an endpoint has no path',
      `write "${parsed.origin}" and add a rewrite middleware for the path`,
    );
  }
  if (parsed.port === '0') return problem('an endpoint cannot have port 0');
  return undefined;
}

function url(text: string): TextProblem | undefined {
  if (!URL.canParse(text)) {
    return problem(`must be a URL such as http://10.0.0.1:8080, not ${quote(text)}`, schemeHint(text));
  }
  const parsed = new URL(text);
  if (parsed.protocol !== 'http:' && parsed.protocol !== 'https:') {
    return problem(`must begin with http:// or https://, not ${quote(text)}`, schemeHint(text));
  }
  if (parsed.username !== '' || parsed.password !== '')
    return problem('a URL here has no user name and no password');
  // What the URL parser forgives (blanks, backslashes, "http:host") would be read otherwise by others.
  if (!/^https?:\/\/[^\s\\]+$/i.test(text))
    return problem(`must be a URL such as http://10.0.0.1:8080, not ${quote(text)}`);
  return undefined;
}

function schemeHint(text: string): string | undefined {
  const whole = `http://${text}`;
  return /^[\w.-]+(?::\d+)?$/.test(text) && URL.canParse(whole) ? `did you mean "${whole}"?` : undefined;
}

/** A path as it is matched: normalised, so that a condition can be met at all (G7). */
function path(text: string): TextProblem | undefined {
  if (!text.startsWith('/'))
    return problem(`must begin with "/", not ${quote(text)}`, `did you mean "/${text}"?`);
  if (/[?#]/.test(text))
    return problem('a path has no query and no fragment', 'use the `query` conditions of the match');
  const normal = normalizePath(escapeBeyondAscii(text));
  if ('rejected' in normal)
    return problem(`must be a path that can be matched, not ${quote(text)} (${normal.rejected})`);
  if (normal.path === text) return undefined;
  return problem('can never match: paths are normalised before they are matched', `write "${normal.path}"`);
}

const beyondAscii = /[^\x20-\x7e]/;

/** As a user might write `/käse`: the hint shows the escapes. */
function escapeBeyondAscii(text: string): string {
  return beyondAscii.test(text) ? text.replace(/[^\x20-\x7e]+/g, (part) => encodeURIComponent(part)) : text;
}

const variable = /\{([^{}]*)\}/g;
const variableName = /^[A-Za-z_][A-Za-z0-9_]*$/;

/** `/users/{id}`: a variable is a whole segment. */
function pathTemplate(text: string): TextProblem | undefined {
  const names = [...text.matchAll(variable)].map((found) => found[1] as string);
  const bad = names.find((name) => !variableName.test(name));
  if (bad !== undefined) {
    return problem(`a variable is a name of letters, digits and "_", not ${quote(bad)}`);
  }
  const twice = names.find((name, i) => names.indexOf(name) !== i);
  if (twice !== undefined) return problem(`the variable ${quote(twice)} stands there twice`);
  for (const segment of text.split('/')) {
    const rest = segment.replace(variable, '');
    if (/[{}]/.test(rest)) return problem(`has a brace without its other half in ${quote(segment)}`);
    if (rest !== '' && rest !== segment) {
      return problem(
        `a variable is a whole segment: ${quote(segment)} is not`,
        'use `regex` for parts of a segment',
      );
    }
    if (rest === '' && (segment.match(variable) ?? []).length > 1) {
      return problem(`a segment is one variable: ${quote(segment)} has several`);
    }
  }
  const wrong = path(text.replace(variable, 'x'));
  return wrong === undefined ? undefined : problem(wrong.message);
}

function positiveDuration(text: string): TextProblem | undefined {
  let milliseconds: number;
  try {
    milliseconds = parseDuration(text);
  } catch {
    return undefined; // The pattern has said so.
  }
  return milliseconds > 0 ? undefined : problem('must be more than 0');
}

function regex(text: string): TextProblem | undefined {
  try {
    compileRegex(text);
    return undefined;
  } catch (error) {
    if (!(error instanceof RegexError)) throw error;
    const hint = /\(\?[=!<]|\\[1-9]/.test(text) ? 'RE2 has no look-around and no back references' : undefined;
    return problem(`must be a regular expression: ${error.message}`, hint);
  }
}

function problem(message: string, hint?: string): TextProblem {
  return hint === undefined ? { message } : { message, hint };
}

function quote(text: string): string {
  return JSON.stringify(text.length > 80 ? `${text.slice(0, 80)}…` : text);
}
