import { routeDocument } from '../subjects/route-document.ts';

export interface RouteWriter {
  initial(): Readonly<Record<string, string>>;
  /** The next version of route 0, or of all; `put` writes the files that differ. */
  next(all: boolean): { readonly version: string; readonly put: (gateway: WritableGateway) => void };
}

export interface WritableGateway {
  write(file: string, text: string): void;
}

export interface WrittenRoutes {
  readonly routes: number;
  readonly documentBytes: number;
  readonly files: number;
  readonly upstreamPort: number;
}

/** Routes that answer with their version in `x-version`. */
export function createRouteWriter({
  routes,
  documentBytes,
  files,
  upstreamPort,
}: WrittenRoutes): RouteWriter {
  const perFile = routes / files;
  let version = 0;
  let common = 0;
  const textOf = (file: number): string =>
    Array.from({ length: perFile }, (_, k) => {
      const i = file * perFile + k;
      return routeDocument({
        name: `route-${i}`,
        hostname: `host-${i % 100}.example.com`,
        match: `path: { prefix: /service-${i} }`,
        upstreamPort,
        middlewares: `    - responseHeaders: { set: { x-version: "v${i === 0 ? version : common}" } }`,
        bytes: documentBytes,
      });
    }).join('');
  const all = (): Record<string, string> =>
    Object.fromEntries(Array.from({ length: files }, (_, file) => [`routes-${file}.yaml`, textOf(file)]));
  return {
    initial: all,
    next(everything) {
      version++;
      if (everything) common = version;
      const texts = everything ? all() : { 'routes-0.yaml': textOf(0) };
      return {
        version: `v${version}`,
        put: (gateway) => {
          for (const [file, text] of Object.entries(texts)) gateway.write(file, text);
        },
      };
    },
  };
}
