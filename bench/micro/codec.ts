import { parseRequestHead } from '../../src/dataplane/http1/parse-request-head.ts';
import { serialiseFields } from '../../src/dataplane/http1/serialise-fields.ts';
import type { Measured } from './measure.ts';
import { measure } from './measure.ts';

const head =
  'GET /users/7?page=2 HTTP/1.1\r\nHost: api.example.com\r\nUser-Agent: Mozilla/5.0 (X11; Linux x86_64; rv:140.0)\r\n' +
  'Accept: application/json\r\nAccept-Encoding: gzip, deflate, br\r\nAccept-Language: en\r\nX-Tenant: t-1';
const limits = { targetBytes: 8_192, headerFields: 100 };
const fields = [
  'Host',
  'api.example.com',
  'Accept',
  'application/json',
  'X-Request-Id',
  'r-1',
  'Via',
  '1.1 a',
];

/** Reading and writing heads. */
export async function measureCodec(): Promise<readonly Measured[]> {
  return [
    await measure('parse a request head of 7 fields', () => {
      if (!('method' in parseRequestHead(`${head}\r\n\r\n`, head.length + 2, limits)))
        throw new Error('refused');
    }),
    await measure('serialise 4 fields', () => serialiseFields(fields, true)),
  ];
}
