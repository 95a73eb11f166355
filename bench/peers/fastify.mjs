import { createRequire } from 'node:module';
import { createHistogram, isFull, port, secret, target } from './common.mjs';

const require = createRequire(import.meta.url);
const load = (name) => require(name);

const app = load('fastify')({ logger: false, keepAliveTimeout: 65_000 });
const options = {
  upstream: target,
  prefix: '/bench',
  rewritePrefix: '/bench',
  undici: { connections: 128, pipelining: 1 },
  disableRequestLogging: true,
};
if (isFull) {
  const { registry, histogram } = await createHistogram();
  await app.register(load('@fastify/rate-limit'), { max: 1e9, timeWindow: 1000 });
  // Verified tokens are remembered, as we do it.
  const verify = { algorithms: ['HS256'], allowedIss: 'bench', allowedAud: 'bench', cache: true };
  await app.register(load('@fastify/jwt'), { secret, verify });
  app.get('/metrics', { config: { rateLimit: false } }, async (_request, reply) => {
    reply.type(registry.contentType);
    return registry.metrics();
  });
  app.addHook('onResponse', async (request, reply) => {
    const labels = { method: request.method, route: request.routeOptions.url, status: reply.statusCode };
    histogram.observe(labels, reply.elapsedTime / 1000);
  });
  options.preHandler = async (request) => {
    await request.jwtVerify();
  };
  options.replyOptions = {
    rewriteRequestHeaders: (_request, headers) => ({ ...headers, 'x-bench-req': '1' }),
    rewriteHeaders: (headers) => ({ ...headers, 'x-bench-res': '1' }),
  };
}
await app.register(load('@fastify/http-proxy'), options);
await app.listen({ port, host: '127.0.0.1', backlog: 4096 });
