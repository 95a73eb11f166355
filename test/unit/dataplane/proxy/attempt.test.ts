import { expect } from 'chai';
import { describe, it } from 'mocha';
import type { ClientConnection } from '../../../../src/dataplane/http1/types.ts';
import { Attempt } from '../../../../src/dataplane/proxy/attempt.ts';
import type { AttemptOwner } from '../../../../src/dataplane/proxy/attempt.ts';
import type { Endpoint } from '../../../../src/dataplane/upstream/endpoint.ts';
import type { Upstream } from '../../../../src/dataplane/upstream/upstream.ts';

describe('Attempt', () => {
  it('does not touch its connection any more once that was released, and counts itself once', () => {
    const calls: string[] = [];
    const told = (name: string) => () => calls.push(name);
    const connection = {
      used: true,
      start: () => undefined,
      resume: told('resume'),
      destroy: told('destroy'),
    };
    const endpoint = {
      begin: told('begin'),
      end: told('end'),
      series: { answered: told('answered') },
      pool: { takeIdle: () => connection as unknown as ClientConnection, release: told('release') },
    };
    const owner = {
      attemptConnected: () => undefined,
      takeWholeBody: () => undefined,
      attemptStarted: () => undefined,
      upstreamEnd: told('whole'),
    };
    const attempt = new Attempt(
      owner as unknown as AttemptOwner,
      { series: { observe: () => undefined } } as unknown as Upstream,
      endpoint as unknown as Endpoint,
      () => 0,
    );
    attempt.begin(false);
    attempt.end(undefined);
    attempt.resume();
    attempt.cancel();
    attempt.end(undefined);
    expect(calls).to.deep.equal(['begin', 'end', 'answered', 'whole', 'release']);
  });
});
