import { expect } from 'chai';
import { describe, it } from 'mocha';
import { countWorkers } from '../../../src/cli/worker-count.ts';

describe('countWorkers', () => {
  const machine = { nodeVersion: '24.1.0', platform: 'linux', parallelism: 4 };

  it('starts several workers only where they can share a port', () => {
    expect(countWorkers('auto', machine)).to.equal(4);
    expect(countWorkers('auto', { ...machine, parallelism: 64 })).to.equal(8);
    expect(countWorkers(64, machine)).to.equal(64);
    expect(countWorkers('auto', { ...machine, nodeVersion: '22.12.0' })).to.equal(4);
    for (const nodeVersion of ['20.20.2', '22.11.0', '23.0.0']) {
      expect(countWorkers('auto', { ...machine, nodeVersion }), nodeVersion).to.equal(1);
      expect(countWorkers(1, { ...machine, nodeVersion })).to.equal(1);
      expect(() => countWorkers(2, { ...machine, nodeVersion })).to.throw(RangeError, nodeVersion);
    }
    expect(countWorkers('auto', { ...machine, platform: 'darwin' })).to.equal(1);
  });
});
