import { once } from 'node:events';
import { createServer } from 'node:net';
import type { AddressInfo } from 'node:net';
import { expect } from 'chai';
import type { Entry } from '../../../src/snapshot/model.ts';
import { findBusyPorts } from '../../../src/supervisor/busy-ports.ts';
import { cleanupAfterEach } from '../../support/cleanup.ts';

describe('findBusyPorts', () => {
  const cleanup = cleanupAfterEach();

  it('names the listener whose port another program has, and none whose port is free or ours already', async () => {
    const server = createServer().listen(0, '127.0.0.1');
    cleanup.add(() => server.close());
    await once(server, 'listening');
    const { port } = server.address() as AddressInfo;
    const taken = listener('http', port);
    expect(await findBusyPorts([taken, listener('free', 0)], [])).to.deep.equal([
      {
        key: 'Listener/http',
        code: 'AddressInUse',
        message: `listener http: 127.0.0.1:${String(port)} is already in use by another program`,
      },
    ]);
    expect(await findBusyPorts([taken], [taken])).to.deep.equal([]);
  });
});

function listener(name: string, port: number): Entry {
  return { key: `Listener/${name}`, hash: '', json: JSON.stringify({ name, address: '127.0.0.1', port }) };
}
