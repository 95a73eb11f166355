/** The kinds of resources, in the order in which documentation lists them. */
export const resourceKinds = ['Gateway', 'Route', 'Upstream', 'Middleware', 'RouteTest', 'Guard'] as const;

export type ResourceKind = (typeof resourceKinds)[number];

export const apiGroup = 'mgateway.dev';
export const apiVersion = `${apiGroup}/v1alpha1`;

export function isResourceKind(word: unknown): word is ResourceKind {
  return (resourceKinds as readonly unknown[]).includes(word);
}

/** Identity of a resource among all resources: `Route/default/users`. */
export function resourceKey(kind: ResourceKind, namespace: string, name: string): string {
  // Joined: V8 would keep what a template makes as its pieces, which takes three times as much.
  return [kind, namespace, name].join('/');
}
