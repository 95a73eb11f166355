import { createRequire } from 'node:module';
import { createHistogram, isFull, port, secret, target } from './common.mjs';

const require = createRequire(import.meta.url);
const load = (name) => require(name);

const route = {
  prefix: '/bench',
  prefixRewrite: '/bench',
  target,
  proxyConfig: { maxSockets: 512, maxFreeSockets: 512 },
};
let registry;
if (isFull) {
  const metrics = await createHistogram();
  registry = metrics.registry;
  const limit = load('express-rate-limit').rateLimit({
    windowMs: 1000,
    limit: 1e9,
    legacyHeaders: false,
    validate: false,
    handler: (_request, response) => response.writeHead(429).end(),
    keyGenerator: (request) => request.socket.remoteAddress,
  });
  // Verified tokens are remembered, as we do it.
  const verify = load('fast-jwt').createVerifier({
    key: secret,
    algorithms: ['HS256'],
    allowedIss: 'bench',
    allowedAud: 'bench',
    cache: true,
  });
  route.middlewares = [
    (request, response, next) => {
      const begun = performance.now();
      response.on('finish', () => {
        const labels = { method: request.method, route: '/bench', status: response.statusCode };
        metrics.histogram.observe(labels, (performance.now() - begun) / 1000);
      });
      next();
    },
    (request, response, next) => limit(request, response, next),
    (request, response, next) => {
      try {
        request.jwt = verify((request.headers.authorization ?? '').slice(7));
      } catch {
        response.writeHead(401).end();
        return;
      }
      next();
    },
  ];
  route.hooks = {
    rewriteRequestHeaders: (_request, headers) => ({ ...headers, 'x-bench-req': '1' }),
    rewriteHeaders: (headers) => ({ ...headers, 'x-bench-res': '1' }),
  };
}
const app = load('fast-gateway')({ routes: [route], enableServicesEndpoint: false });
if (isFull) app.get('/metrics', async (_request, response) => response.send(await registry.metrics()));
app.getServer().keepAliveTimeout = 65_000;
app.start(port, '127.0.0.1');
