export interface RouteOptions {
  readonly name: string;
  /** Lines of the `matches` entry, e.g. `path: { prefix: /a }`. */
  readonly match: string;
  readonly upstreamPort: number;
  readonly hostname?: string;
  /** Block of lines for `middlewares`, indented by four. */
  readonly middlewares?: string;
  /** Filled up to this size with an annotation. */
  readonly bytes?: number;
}

/** One Route as a document of YAML, `---` before it. */
export function routeDocument(options: RouteOptions): string {
  const { name, match, upstreamPort, hostname, middlewares, bytes = 0 } = options;
  const lines = (annotation: string): string =>
    [
      '---',
      'apiVersion: mgateway.dev/v1alpha1',
      'kind: Route',
      'metadata:',
      `  name: ${name}`,
      ...(annotation === '' ? [] : ['  annotations:', `    description: "${annotation}"`]),
      'spec:',
      ...(hostname === undefined ? [] : [`  hostnames: [${hostname}]`]),
      `  matches: [{ ${match} }]`,
      ...(middlewares === undefined ? [] : ['  middlewares:', middlewares]),
      `  upstreams: [{ url: "http://127.0.0.1:${upstreamPort}" }]`,
      '',
    ].join('\n');
  const shortBy = bytes - lines('x').length + 1;
  return lines(shortBy > 0 ? 'x'.repeat(shortBy) : '');
}
