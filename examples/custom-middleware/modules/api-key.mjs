// Lets requests with a known API key pass and tells the upstream whose it is.
import { createHash, timingSafeEqual } from 'node:crypto';

/**
 * @typedef {object} Options
 * @property {Readonly<Record<string, string>>} keys sha256 (hex) of each key → its owner
 * @property {string} [header] where clients send the key
 */

/** @type {import('mgateway/middleware').MiddlewareFactory<Options>} */
export default function apiKey({ keys, header = 'x-api-key' }) {
  const known = Object.entries(keys ?? {}).map(([hash, owner]) => ({
    hash: Buffer.from(hash, 'hex'),
    owner,
  }));
  // Thrown here, this refuses the configuration before anything is served by it.
  if (known.length === 0) throw new Error('options.keys is empty');
  if (known.some(({ hash }) => hash.length !== 32))
    throw new Error('options.keys needs sha256 hashes in hex');

  return {
    request(exchange) {
      exchange.requestHeaders.remove('x-key-owner'); // clients do not say who they are
      const hash = createHash('sha256')
        .update(exchange.requestHeaders.get(header) ?? '')
        .digest();
      const match = known.find((key) => timingSafeEqual(key.hash, hash));
      if (match === undefined) {
        return {
          status: 401,
          code: 'ERR_API_KEY',
          detail: 'A known API key is required.',
          reason: 'api_key',
        };
      }
      exchange.requestHeaders.remove(header);
      exchange.requestHeaders.set('x-key-owner', match.owner);
      return undefined;
    },
    response(_exchange, response) {
      response.headers.set('x-checked-by', 'api-key');
    },
  };
}
