import { expect } from 'chai';
import { createConfiguration } from '../../../src/shadow/configuration.ts';
import { ShadowKeys } from '../../../src/shadow/shadow-keys.ts';
import type { ShadowToMain } from '../../../src/snapshot/shadow-messages.ts';
import { loadText } from '../../support/load-text.ts';
import { resourceDocument } from '../../support/resource-document.ts';

describe('ShadowKeys', () => {
  it('is ready again when main has answered for the configurations of now, and forgets all other keys', async () => {
    const asked: Extract<ShadowToMain, { type: 'KeysWanted' }>[] = [];
    const keys = new ShadowKeys((message) => {
      if (message.type === 'KeysWanted') asked.push(message);
    });
    const configurationOf = async (variable: string) => {
      const jwt = `jwt: { issuers: [{ issuer: i, secret: { env: ${variable} }, algorithms: [HS256] }] }`;
      const { entries } = await loadText({
        'a.yaml': [
          resourceDocument('Middleware', 'auth', jwt),
          resourceDocument(
            'Route',
            'a',
            'middlewares: [{ name: auth }]\nupstreams: [{ url: "http://10.0.0.1:1" }]',
          ),
        ].join('---\n'),
      });
      return createConfiguration(1, entries, { previous: undefined, keys });
    };
    const [a, b] = [await configurationOf('A'), await configurationOf('B')];
    expect(keys.ready).to.equal(true);
    keys.want([a, undefined]);
    keys.want([a, b]);
    const idsOf = (index: number): readonly string[] => asked[index]?.references.map(({ id }) => id) ?? [];
    expect(asked.map(({ references }) => references.length)).to.deep.equal([1, 2]);
    const [first = '', second = ''] = idsOf(1);
    const secret = new Uint8Array([1]);
    keys.take({ type: 'Keys', answers: 1, materials: [{ id: first, version: '1', secret }] });
    expect([keys.ready, keys.get(first)]).to.deep.equal([false, undefined]);
    keys.take({
      type: 'Keys',
      answers: 2,
      materials: [first, second].map((id) => ({ id, version: '1', secret })),
    });
    expect([keys.ready, keys.get(first)?.version]).to.deep.equal([true, '1']);
    keys.take({ type: 'Keys', materials: [{ id: second, version: '2', secret }] });
    expect([keys.get(first)?.version, keys.get(second)?.version]).to.deep.equal(['1', '2']);
    keys.want([b]);
    expect(idsOf(2)).to.deep.equal([second]);
    keys.take({ type: 'Keys', answers: 3, materials: [{ id: second, version: '1', secret }] });
    expect(keys.get(first)).to.equal(undefined);
  });
});
