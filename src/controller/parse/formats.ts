import { isIP } from 'node:net';
import { middlewareDefinitions } from '../../middleware/registry.ts';
import { parseAddress } from '../../routing/address.ts';
import { parseHostname } from '../../routing/host.ts';
import { checkPathMatch } from '../../routing/path-pattern.ts';
import { compileRegex, RegexError } from '../../routing/regex.ts';
import { parseDuration } from '../../snapshot/units.ts';
import { suggest } from './suggest.ts';

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
  middlewareType,
  origin,
  path: pathAs('Exact'),
  pathPrefix: pathAs('Prefix'),
  pathTemplate: pathAs('Template'),
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
  const block = slash < 0 ? text : text.slice(0, slash);
  if (parseAddress(block) === undefined) {
    return problem(`must be an IP address or a CIDR block such as 10.0.0.0/8, not ${quote(text)}`);
  }
  if (slash < 0) return undefined;
  const bits = text.slice(slash + 1);
  const most = block.includes(':') ? 128 : 32;
  if (/^(?:0|[1-9]\d{0,2})$/.test(bits) && Number(bits) <= most) return undefined;
  return problem(`must end in a prefix length from /0 to /${most}, not ${quote('/' + bits)}`);
}

/** Written as it is compared: lower case, no port, no dot at the end. */
function hostname(text: string): TextProblem | undefined {
  const canonical = parseHostname(text);
  if (canonical === text) return undefined;
  const message = `must be a host name such as api.example.com or *.example.com, not ${quote(text)}`;
  return problem(message, canonical === undefined ? hostnameHint(text) : `write it as "${canonical}"`);
}

function hostnameHint(text: string): string | undefined {
  if (text === '*') return 'leave hostnames out to match any host';
  if (text.includes('/')) return 'write the host alone';
  if (/:\d+$/.test(text)) return 'write it without the port; `listeners` chooses the port';
  if (text.includes('*')) return 'a wildcard stands for whole labels at the start: "*.example.com"';
  return beyondAscii.test(text) ? 'write it in its ASCII form (xn--…)' : undefined;
}

const beyondAscii = /[^\x20-\x7e]/;

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

/** What the router makes of it decides. */
function pathAs(type: 'Exact' | 'Prefix' | 'Template'): TextCheck {
  return (text) => {
    const message = checkPathMatch({ type, value: text });
    if (message === undefined) return undefined;
    return problem(message, /^[\w{]/.test(text) ? `did you mean "/${text}"?` : undefined);
  };
}

/** A rule about a type that is not there would never hold. */
function middlewareType(text: string): TextProblem | undefined {
  const types = middlewareDefinitions.map(({ type }) => type);
  if (types.includes(text)) return undefined;
  const meant = suggest(text, types);
  const hint = meant === undefined ? `possible: ${types.join(', ')}` : `did you mean "${meant}"?`;
  return problem(`there is no middleware of type ${quote(text)}`, hint);
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
