import { expect } from 'chai';
import { createEndpointHealth } from '../../../src/admin/endpoint-health.ts';

describe('createEndpointHealth', () => {
  const answer = {
    upstreams: [
      { name: 'default/a', endpoints: [{ url: 'http://one' }, { url: 'http://two' }] },
      { name: 'default/b', endpoints: [{ url: 'http://one' }] },
    ],
  };

  it('says of each endpoint that is checked whether it is healthy, by upstream, and of no other', () => {
    const health = createEndpointHealth();
    expect(health.addTo(answer)).to.deep.equal(answer);
    health.note('default/a', 'http://one', false);
    health.note('default/b', 'http://one', true);
    health.note('default/a', 'http://two', true);
    health.note('default/a', 'http://two', undefined);
    expect(health.addTo(answer)).to.deep.equal({
      upstreams: [
        { name: 'default/a', endpoints: [{ url: 'http://one', healthy: false }, { url: 'http://two' }] },
        { name: 'default/b', endpoints: [{ url: 'http://one', healthy: true }] },
      ],
    });
  });
});
