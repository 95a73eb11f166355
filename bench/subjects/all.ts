import type { Options } from '../options.ts';
import { caddy } from './caddy.ts';
import { envoy } from './envoy.ts';
import { haproxy } from './haproxy.ts';
import { mgateway } from './mgateway.ts';
import { nginx } from './nginx.ts';
import { nodePeer } from './node-peer.ts';
import type { Subject } from './subject.ts';
import { traefik } from './traefik.ts';

/** The first is what the others are compared with. `builds`: further builds of the gateway, `NAME=PATH` of their main.js. */
export function allSubjects({
  gateway,
  node,
  builds,
}: Pick<Options, 'gateway' | 'node' | 'builds'>): readonly Subject[] {
  return [
    nginx,
    haproxy,
    mgateway('mgateway', gateway, node),
    ...builds.map((build) => {
      const [name = '', path = ''] = build.split('=', 2);
      return mgateway(`mgateway-${name}`, path, node);
    }),
    envoy,
    traefik('traefik', false),
    traefik('traefik-fastproxy', true),
    caddy,
    nodePeer('http-proxy', ['plain'], ['http-proxy']),
    nodePeer('httpxy', ['plain'], ['httpxy']),
    nodePeer(
      'fastify',
      ['plain', 'full'],
      ['fastify', '@fastify/http-proxy', '@fastify/jwt', '@fastify/rate-limit'],
    ),
    nodePeer('fast-gateway', ['plain', 'full'], ['fast-gateway', 'fast-jwt', 'express-rate-limit']),
  ];
}
