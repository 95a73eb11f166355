import type { BuildContext, Exchange, KeySource } from '../../src/middleware/contract.ts';
import type { Pipeline } from '../../src/middleware/pipeline.ts';
import { composePipeline } from '../../src/middleware/pipeline.ts';
import { findMiddleware } from '../../src/middleware/registry.ts';
import { HeaderList } from '../../src/routing/header-list.ts';
import type { KeyReference } from '../../src/snapshot/model.ts';
import { audience, createToken, issuer, secret } from '../subjects/token.ts';
import type { Measured } from './measure.ts';
import { measure } from './measure.ts';

const blocks: readonly { readonly type: string; readonly config: unknown }[] = [
  {
    type: 'jwt',
    config: {
      issuers: [
        {
          issuer,
          audiences: [audience],
          secret: { env: 'BENCH_JWT_SECRET', encoding: 'Utf8' },
          algorithms: ['HS256'],
          leeway: '0s',
        },
      ],
      claimsToHeaders: {},
      require: { claims: {} },
    },
  },
  {
    type: 'rateLimit',
    config: {
      requests: 1e9,
      per: '1s',
      key: [{ clientAddress: {} }],
      onMissingKey: 'Reject',
      headers: 'OnLimit',
    },
  },
  { type: 'requestHeaders', config: { set: { 'x-bench-req': '1' }, add: {}, remove: [], rename: {} } },
  { type: 'responseHeaders', config: { set: { 'x-bench-res': '1' }, add: {}, remove: [], rename: {} } },
];

/** What the middlewares of `full` cost, each alone and all together; the token is one that was seen before. */
export async function measurePipeline(): Promise<readonly Measured[]> {
  const found: Measured[] = [];
  for (const { type } of blocks) {
    found.push(await measureOne(`pipeline: ${type}`, await compose([type])));
  }
  found.push(await measureOne('pipeline: all four', await compose(blocks.map(({ type }) => type))));
  return found;
}

async function measureOne(name: string, pipeline: Pipeline): Promise<Measured> {
  const authorization = `Bearer ${createToken()}`;
  return measure(name, () => {
    const exchange = exchangeOf(authorization);
    const answer = pipeline.request(exchange);
    if (answer instanceof Promise) {
      return answer.then((reply) => {
        if (reply !== undefined) throw new Error(`${name}: answers ${reply.reply.status}`);
      });
    }
    if (answer !== undefined) throw new Error(`${name}: answers ${answer.reply.status}`);
    const head = { status: 200, headers: new HeaderList(['content-type', 'application/json']) };
    return pipeline.response(exchange, head, pipeline.length);
  });
}

async function compose(types: readonly string[]): Promise<Pipeline> {
  const instances = await Promise.all(
    blocks
      .filter(({ type }) => types.includes(type))
      .map(async ({ type, config }) => {
        const definition = findMiddleware(type);
        if (definition === undefined) throw new Error(`no middleware is called ${type}`);
        const references: readonly KeyReference[] = (definition.keys?.(config) ?? []).map((key) => ({
          ...key,
          version: '1',
        }));
        const middleware = await definition.create(config, contextOf(references, sharedOf(type, config)));
        return { name: type, middleware };
      }),
  );
  return composePipeline(instances, ({ error }) => {
    throw error;
  });
}

function sharedOf(type: string, config: unknown): SharedArrayBuffer | undefined {
  const shared = findMiddleware(type)?.shared;
  if (shared === undefined) return undefined;
  const memory = new SharedArrayBuffer(shared.bytes(config));
  shared.init(memory, config);
  return memory;
}

function contextOf(references: readonly KeyReference[], shared: SharedArrayBuffer | undefined): BuildContext {
  const keys: KeySource = {
    get: (id) => ({ id, version: '1', secret: Buffer.from(secret) }),
    refresh: async () => undefined,
  };
  return {
    key: 'Middleware/bench',
    name: 'bench',
    references,
    keys,
    shared,
    now: Date.now,
    modulesDir: undefined,
  };
}

function exchangeOf(authorization: string): Exchange {
  return {
    requestId: 'r-1',
    clientAddress: '127.0.0.1',
    scheme: 'http',
    method: 'GET',
    host: 'api.example.com',
    matchedPath: '/bench/users/1',
    route: 'default/bench',
    generation: 1,
    captures: {},
    matchedPrefix: '/bench',
    path: '/bench/users/1',
    query: '',
    claims: undefined,
    requestHeaders: new HeaderList(['host', 'api.example.com', 'authorization', authorization]),
  };
}
