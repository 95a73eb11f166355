import type { UpstreamSnapshot } from '../../snapshot/model.ts';
import { conditionsOf, stateOf } from './conditions.ts';
import type { ControllerView } from './view.ts';
import { routeTable } from './route-table.ts';
import { spread } from './spread.ts';

/**
 * Answers introspection (`Query`); values are JSON-printable and hold no secrets: resources hold references only.
 * `explain` is answered by its own (it takes arguments).
 * @throws Error for a name that is none of `status`, `resources`, `routes`, `upstreams`, `generations`.
 */
export function answerQuery(name: string, view: ControllerView): unknown {
  switch (name) {
    case 'status':
      return {
        ...view.status,
        pin: pinOf(view),
        documents: view.store.resources.size,
        problemList: spread(view.problems, maxProblems),
        warnings: spread(view.warnings, maxProblems),
      };
    case 'resources':
      return { resources: resourceList(view) };
    case 'routes':
      return { routes: routeTable(view.served, (key) => view.store.resources.get(key)) };
    case 'upstreams':
      return { upstreams: upstreamList(view) };
    case 'generations':
      return { generations: view.generations };
    default:
      throw new Error(`there is no query called ${JSON.stringify(name)}`);
  }
}

const maxProblems = 1000;
/** Of one resource: 10,000 broken documents have 20 each. */
const maxProblemsOfOne = 5;

/** Times in Unix seconds, as everywhere in the API; null: nothing is pinned. */
function pinOf({ pin }: ControllerView): unknown {
  if (pin === undefined) return null;
  const { of, since, until } = pin;
  return { generation: of, since: since / 1000, until: until === undefined ? null : until / 1000 };
}

function resourceList(view: ControllerView): unknown {
  const { store, outcomes, candidate, served, generation, pin } = view;
  const sourceHash = view.status?.sourceHash ?? '';
  return [...store.resources.values()].map((stored) => {
    const outcome = outcomes.get(stored.key);
    const problems = [...stored.problems, ...(outcome?.problems ?? [])];
    const since = view.fallbackSince.get(stored.key);
    const isProgrammed =
      generation > 0 &&
      (stored.kind === 'Gateway'
        ? candidate.get('Edge')?.hash === served.get('Edge')?.hash
        : candidate.get(stored.key)?.hash === served.get(stored.key)?.hash);
    return {
      kind: stored.kind,
      namespace: stored.namespace,
      name: stored.name,
      state: stateOf(stored, outcome),
      at: stored.at,
      sourceHash,
      conditions: conditionsOf(stored, outcome, isProgrammed, generation, pin?.of).map((condition) =>
        condition.type === 'Fallback' && since !== undefined
          ? { ...condition, since: since / 1000 }
          : condition,
      ),
      /** All of them; listed are the first. */
      problemCount: problems.length,
      problems: problems.slice(0, maxProblemsOfOne),
    };
  });
}

function upstreamList({ served, store }: ControllerView): unknown {
  return [...served.values()]
    .filter(({ key }) => key.startsWith('Upstream/'))
    .map(({ key, json }) => ({
      ...(JSON.parse(json) as UpstreamSnapshot),
      at: store.resources.get(key)?.at ?? '',
    }));
}
