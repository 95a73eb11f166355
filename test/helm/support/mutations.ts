export interface Mutation {
  readonly what: string;
  readonly value: unknown;
}

type Path = readonly (string | number)[];

/** A resource with one thing in its `spec` misspelt, missing, or of a wrong type; each place in turn. */
export function mutationsOf(resource: Readonly<Record<string, unknown>>): readonly Mutation[] {
  return pathsOf(resource['spec'], ['spec']).flatMap((path) => {
    const at = path.join('.');
    const last = path.at(-1) as string | number;
    const change = (what: string, edit: (parent: Record<string | number, unknown>) => void): Mutation => {
      const value = structuredClone(resource);
      edit(
        path
          .slice(0, -1)
          .reduce<unknown>((node, key) => (node as Record<string | number, unknown>)[key], value) as Record<
          string | number,
          unknown
        >,
      );
      return { what: `${what} ${at}`, value };
    };
    const mutations = [
      change('a number at', (parent) => (parent[last] = typeof parent[last] === 'number' ? 'text' : 7)),
      change('an object at', (parent) => (parent[last] = { strange: true })),
      change('nothing at', (parent) => (parent[last] = '')),
    ];
    if (typeof last === 'number') return mutations;
    return [
      ...mutations,
      change('without', (parent) => delete parent[last]),
      change('misspelt', (parent) => {
        parent[`${last}x`] = parent[last];
        delete parent[last];
      }),
    ];
  });
}

/** Of everything below `node`. */
function pathsOf(node: unknown, path: Path): readonly Path[] {
  if (typeof node !== 'object' || node === null) return [];
  return Object.entries(node).flatMap(([key, child]) => {
    const at = [...path, Array.isArray(node) ? Number(key) : key];
    return [at, ...pathsOf(child, at)];
  });
}
