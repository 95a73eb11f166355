import type { ConfigProblem, MiddlewareDefinition } from './contract.ts';
import { compileQueryEdits } from './query-edits.ts';
import type { QueryEdits } from './query-edits.ts';

/** `query`: removes, renames, sets and adds parameters of the query that is forwarded, in this order. */
export const query: MiddlewareDefinition<QueryEdits> = {
  type: 'query',
  check,
  create(config) {
    const edit = compileQueryEdits(config);
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

/** Renames whose result would depend on their order. */
function check({ rename = {} }: QueryEdits): readonly ConfigProblem[] {
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

function describe(edits: QueryEdits): readonly string[] {
  return [
    ...(edits.remove ?? []).map((name) => `removes query ${name}`),
    ...Object.entries(edits.rename ?? {}).map(([from, to]) => `renames query ${from} to ${to}`),
    ...Object.entries(edits.set ?? {}).map(([name, value]) => `sets query ${name}=${value}`),
    ...Object.entries(edits.add ?? {}).map(([name, value]) => `adds query ${name}=${value}`),
  ];
}
