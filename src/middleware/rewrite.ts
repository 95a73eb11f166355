import { checkPathMatch, compilePathPattern } from '../routing/path-pattern.ts';
import type { PathPattern } from '../routing/path-pattern.ts';
import { pathText } from '../routing/path-text.ts';
import type {
  ConfigProblem,
  Decision,
  Exchange,
  LocalReply,
  Middleware,
  MiddlewareDefinition,
} from './contract.ts';

/** Exactly one of them. */
export interface RewriteConfig {
  /** `/users`: `/users/7` becomes `/7`, `/users` becomes `/`, `/usersx` stays. */
  readonly stripPrefix?: string;
  /** `{ prefix: /users, with: /v2/people }`: `/users/7` becomes `/v2/people/7`. */
  readonly replacePrefix?: { readonly prefix: string; readonly with: string };
  /** The whole path; `{id}` is the variable `id` of the matched template. */
  readonly path?: string;
}

type PrefixPattern = Extract<PathPattern, { readonly kind: 'Prefix' }>;

/**
 * `rewrite`: changes the path that is forwarded; what matches and what later middlewares see as `matchedPath` stays. The
 * result always begins with one slash and has no empty, `.` or `..` segment.
 */
export const rewrite: MiddlewareDefinition<RewriteConfig> = {
  type: 'rewrite',
  check,
  create: rewriteOf,
};

/** Classes, not closures: thousands of routes may have one each. */
abstract class Rewrite implements Middleware {
  /** The path to forward; undefined: the route has no such variable. */
  protected abstract change(exchange: Exchange): string | undefined;

  request(exchange: Exchange): LocalReply | undefined {
    const path = this.change(exchange);
    if (path === undefined) return missingCapture;
    exchange.path = path;
    return undefined;
  }

  decide(exchange: Exchange): Decision {
    const before = exchange.path;
    const reply = this.request(exchange);
    if (reply !== undefined)
      return { outcome: 'reply', reply, notes: ['the route has no such path variable'] };
    const note =
      exchange.path === before ? `leaves the path ${before}` : `rewrites ${before} to ${exchange.path}`;
    return { outcome: 'continue', notes: [note] };
  }
}

/** A path that nobody meant must not reach an upstream. */
const missingCapture: LocalReply = {
  status: 500,
  code: 'ERR_REWRITE_NO_CAPTURE',
  detail: 'The path of the request could not be rewritten.',
  reason: 'no_capture',
};

function rewriteOf({ stripPrefix, replacePrefix, path = '/' }: RewriteConfig): Middleware {
  if (stripPrefix !== undefined) return new PrefixRewrite(stripPrefix, '');
  if (replacePrefix !== undefined) return new PrefixRewrite(replacePrefix.prefix, replacePrefix.with);
  return new PathRewrite(path);
}

class PathRewrite extends Rewrite {
  private readonly parts: readonly TemplatePart[];

  constructor(template: string) {
    super();
    this.parts = splitTemplate(template);
  }

  protected override change({ captures }: Exchange): string | undefined {
    let path = '';
    for (const { literal, variable } of this.parts) {
      path += literal;
      if (variable === undefined) continue;
      if (!Object.hasOwn(captures, variable)) return undefined;
      path += captures[variable] as string;
    }
    return normalise(path);
  }
}

/** Takes what a Route's `prefix` of the same text would match, however a request spells it; what stays, stays as it was spelled. */
class PrefixRewrite extends Rewrite {
  private readonly head: string;
  /** Segments of the head. */
  private readonly depth: number;
  private readonly replacement: string;

  constructor(prefix: string, replacement: string) {
    super();
    const { text, depth } = compilePathPattern({ type: 'Prefix', value: prefix }) as PrefixPattern;
    this.head = text;
    this.depth = depth;
    this.replacement = replacement;
  }

  protected override change({ path }: Exchange): string {
    const { head, depth, replacement } = this;
    const text = pathText(path);
    if (!text.startsWith(head)) return path;
    // Only on a segment border: `/v2` is no prefix of `/v2example`.
    if (text.length > head.length && text.charCodeAt(head.length) !== 0x2f) return path;
    // Slashes are the same in both, so the rest begins after as many of them.
    const rest =
      text === path
        ? path.slice(head.length + 1)
        : path
            .split('/')
            .slice(depth + 1)
            .join('/');
    return normalise(`${replacement}/${rest}`, text.length === head.length);
  }
}

const unclean = /\/\/|\/\.\.?(?:\/|$)/;

/** `dropSlash`: the slash at the end is ours, not the request's. */
function normalise(path: string, dropSlash = false): string {
  let clean = path.startsWith('/') ? path : `/${path}`;
  if (unclean.test(clean)) {
    const kept: string[] = [];
    const segments = clean.split('/');
    for (const segment of segments) {
      if (segment === '..') kept.pop();
      else if (segment !== '' && segment !== '.') kept.push(segment);
    }
    const last = segments.at(-1);
    const isFolder = last === '' || last === '.' || last === '..';
    clean = `/${kept.join('/')}${isFolder && kept.length > 0 ? '/' : ''}`;
  }
  return dropSlash && clean.length > 1 && clean.endsWith('/') ? clean.slice(0, -1) : clean;
}

interface TemplatePart {
  readonly literal: string;
  readonly variable: string | undefined;
}

function splitTemplate(template: string): readonly TemplatePart[] {
  return [...template.matchAll(/([^{}]*)(?:\{([A-Za-z_][A-Za-z0-9_]*)\})?/g)]
    .filter(([whole]) => whole !== '')
    .map(([, literal = '', variable]) => ({ literal, variable }));
}

function check(config: RewriteConfig): readonly ConfigProblem[] {
  return [
    ...checkPrefix('stripPrefix', config.stripPrefix),
    ...checkPrefix('replacePrefix.prefix', config.replacePrefix?.prefix),
    ...checkPath('replacePrefix.with', config.replacePrefix?.with, false),
    ...checkPath('path', config.path, true),
  ];
}

const plainPath = /^\/(?:[A-Za-z0-9\-._~!$&'()*+,;=:@/]|%[0-9A-Fa-f]{2})*$/;

/** As the prefix of a Route: what matches can be taken away by the same words. */
function checkPrefix(path: string, value: string | undefined): readonly ConfigProblem[] {
  // In `prefix` braces are text; here they are a variable that is none.
  if (value === undefined || /[?#{}]/.test(value)) return checkPath(path, value, false);
  const problem = checkPathMatch({ type: 'Prefix', value });
  return problem === undefined
    ? checkSegments(path, value, value)
    : [{ path, message: `"${value}" ${problem}` }];
}

function checkPath(path: string, value: string | undefined, isTemplate: boolean): readonly ConfigProblem[] {
  if (value === undefined) return [];
  const text = isTemplate ? value.replace(/\{[A-Za-z_][A-Za-z0-9_]*\}/g, 'x') : value;
  if (!plainPath.test(text)) {
    const hint = /[?#]/.test(text)
      ? 'a query is changed by the query middleware'
      : `begin with a slash, percent-encode what is not ASCII${isTemplate ? ', write variables as {name}' : ''}`;
    return [{ path, message: `"${value}" is not a path`, hint }];
  }
  return checkSegments(path, value, text);
}

function checkSegments(path: string, value: string, text: string): readonly ConfigProblem[] {
  if (!unclean.test(text.replace(/%2e/gi, '.'))) return [];
  return [{ path, message: `"${value}" has an empty, "." or ".." segment` }];
}
