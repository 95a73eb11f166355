import {
  addQueryParameter,
  queryParameter,
  removeQueryParameter,
  renameQueryParameter,
  setQueryParameter,
} from '../routing/query.ts';
import type { ConfigProblem, MiddlewareDefinition } from './contract.ts';

/** Carried out in this order: remove, rename, set, add. Names are compared decoded and with regard to case. */
export interface QueryConfig {
  readonly remove?: readonly string[];
  /** From → to. Every parameter called `from` gets the new name; those that had it before go, if there is one to rename. */
  readonly rename?: Readonly<Record<string, string>>;
  /** One parameter with this value, whatever was there. */
  readonly set?: Readonly<Record<string, string>>;
  /** One more parameter; those of the same name stay. */
  readonly add?: Readonly<Record<string, string>>;
}

/** `query`: removes, renames, sets and adds parameters of the query that is forwarded, in this order. */
export const query: MiddlewareDefinition<QueryConfig> = {
  type: 'query',
  check,
  create(config) {
    const edit = compile(config);
    const notes = describe(config);
    return {
      request(exchange) {
        exchange.query = edit(exchange.query);
        return undefined;
      },
      decide(exchange) {
        exchange.query = edit(exchange.query);
        return { outcome: 'continue', notes };
      },
    };
  },
};

/** What is not touched stays byte for byte, in its place, duplicates included. */
function compile(config: QueryConfig): (query: string) => string {
  const { remove = [] } = config;
  const rename = Object.entries(config.rename ?? {});
  const set = Object.entries(config.set ?? {});
  const add = Object.entries(config.add ?? {});
  return (before) => {
    let text = before;
    for (const name of remove) text = removeQueryParameter(text, name);
    for (const [from, to] of rename) {
      if (queryParameter(text, from) === undefined) continue;
      // What the client sends under the new name must not stand beside the renamed one.
      text = renameQueryParameter(removeQueryParameter(text, to), from, to);
    }
    for (const [name, value] of set) text = setQueryParameter(text, name, value);
    for (const [name, value] of add) text = addQueryParameter(text, name, value);
    return text;
  };
}

/** Renames whose result would depend on their order. */
function check({ rename = {} }: QueryConfig): readonly ConfigProblem[] {
  const targets = new Set<string>();
  return Object.entries(rename).flatMap(([from, to]) => {
    const isTwice = targets.has(to);
    targets.add(to);
    if (Object.hasOwn(rename, to)) {
      return [
        {
          path: `rename.${from}`,
          message: `${to} is renamed itself, so the result would depend on the order`,
        },
      ];
    }
    return isTwice ? [{ path: `rename.${from}`, message: `${to} is named twice` }] : [];
  });
}

function describe(edits: QueryConfig): readonly string[] {
  return [
    ...(edits.remove ?? []).map((name) => `removes query ${name}`),
    ...Object.entries(edits.rename ?? {}).map(([from, to]) => `renames query ${from} to ${to}`),
    ...Object.entries(edits.set ?? {}).map(([name, value]) => `sets query ${name}=${value}`),
    ...Object.entries(edits.add ?? {}).map(([name, value]) => `adds query ${name}=${value}`),
  ];
}
