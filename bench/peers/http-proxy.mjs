import httpProxy from 'http-proxy';
import { serve, target, upstreamAgent } from './common.mjs';

const proxy = httpProxy.createProxyServer({ target, agent: upstreamAgent() });
proxy.on('error', (_error, _request, response) => response.writeHead?.(502).end());
serve((request, response) => proxy.web(request, response));
