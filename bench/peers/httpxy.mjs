import { serve, target, upstreamAgent } from './common.mjs';

const load = (name) => import(name);
const { createProxyServer } = await load('httpxy');
const proxy = createProxyServer({ target, agent: upstreamAgent() });
serve((request, response) => {
  proxy.web(request, response).catch(() => {
    response.statusCode = 502;
    response.end();
  });
});
