import { Buffer } from 'node:buffer';
import { expect } from 'chai';
import { describe, it } from 'mocha';
import type { ServerStream } from '../../../../src/dataplane/http1/types.ts';
import type { Attempt } from '../../../../src/dataplane/proxy/attempt.ts';
import { ReplayableBody } from '../../../../src/dataplane/proxy/replayable-body.ts';

describe('ReplayableBody', () => {
  it('ends the body once when its rest comes while the client is being resumed', () => {
    const { body, attempt, sent, onResume } = createBody();
    body.push(Buffer.from('first '), undefined);
    onResume(() => {
      body.push(Buffer.from('rest'), attempt);
      body.end(undefined, attempt);
    });
    body.flush(attempt);
    expect(sent).to.deep.equal(['first ', 'rest', 'end']);
  });

  it('sends everything again, and its end once, after a rewind', () => {
    const { body, attempt, sent } = createBody();
    body.push(Buffer.from('all'), undefined);
    body.end(undefined, undefined);
    expect(body.takeWhole()?.toString()).to.equal('all');
    body.flush(attempt);
    expect(sent).to.deep.equal([]);
    body.rewind();
    body.flush(attempt);
    expect(sent).to.deep.equal(['all', 'end']);
  });
});

function createBody(): {
  readonly body: ReplayableBody;
  readonly attempt: Attempt;
  readonly sent: string[];
  readonly onResume: (told: () => void) => void;
} {
  const sent: string[] = [];
  let resumed = (): void => undefined;
  const stream = { pauseBody: () => undefined, resumeBody: () => resumed() };
  const attempt = {
    write: (chunk: Buffer) => sent.push(chunk.toString()) > 0,
    endBody: () => sent.push('end'),
  };
  return {
    body: new ReplayableBody(stream as unknown as ServerStream),
    attempt: attempt as unknown as Attempt,
    sent,
    onResume: (told) => {
      resumed = told;
    },
  };
}
