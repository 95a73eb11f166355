import { envoy } from './envoy.ts';
import { haproxy } from './haproxy.ts';
import { mgateway } from './mgateway.ts';
import { nginx } from './nginx.ts';
import { nodePeer } from './node-peer.ts';
import type { Subject } from './subject.ts';

/** The first is what the others are compared with. */
export const subjects: readonly Subject[] = [
  nginx,
  haproxy,
  mgateway,
  envoy,
  nodePeer('http-proxy', ['plain'], ['http-proxy']),
  nodePeer('httpxy', ['plain'], ['httpxy']),
  nodePeer(
    'fastify',
    ['plain', 'full'],
    ['fastify', '@fastify/http-proxy', '@fastify/jwt', '@fastify/rate-limit'],
  ),
  nodePeer('fast-gateway', ['plain', 'full'], ['fast-gateway', 'fast-jwt', 'express-rate-limit']),
];
