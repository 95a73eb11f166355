import { expect } from 'chai';
import fc from 'fast-check';
import { PassThrough } from 'node:stream';
import type { Writable } from 'node:stream';
import { describe, it } from 'mocha';
import * as ws from 'ws';
import { FrameTracker } from '../../../../src/dataplane/proxy/frame-tracker.ts';
import { split } from '../http1/split.ts';

/** What `ws` exports besides its types. */
interface Codec {
  readonly Sender: { frame(payload: Buffer, options: object): Buffer[] };
  readonly Receiver: new (options: { isServer: boolean }) => Writable;
}
const { Sender, Receiver } = ws as unknown as Codec;

/** A frame as `ws` writes it; each length encoding (RFC 6455 §5.2) on both sides of its limits. */
const frames = fc.record({
  opcode: fc.constantFrom(0, 1, 2, 9, 10),
  fin: fc.boolean(),
  mask: fc.boolean(),
  payload: fc
    .oneof(fc.nat(300), fc.constantFrom(0, 125, 126, 127, 65_535, 65_536))
    .map((length) => Buffer.alloc(length, 0x88)),
});

function bytesOf(frame: { opcode: number; fin: boolean; mask: boolean; payload: Buffer }): Buffer {
  const { payload, ...options } = frame;
  const parts = Sender.frame(Buffer.from(payload), { ...options, rsv1: false, readOnly: true });
  return Buffer.concat(parts);
}

/** Where frames end in `chunks`, counted from the first byte. */
function boundaries(tracker: FrameTracker, chunks: readonly Buffer[]): number[] {
  const ends: number[] = [];
  let before = 0;
  for (const chunk of chunks) {
    for (let at = 0; at < chunk.length;) {
      at = tracker.toFrameEnd(chunk, at);
      if (tracker.atBoundary) ends.push(before + at);
    }
    before += chunk.length;
  }
  return ends;
}

describe('FrameTracker', () => {
  it('finds the ends of the frames that ws writes, however the bytes are split', () => {
    fc.assert(
      fc.property(fc.array(frames, { maxLength: 6 }), fc.array(fc.nat(70_000)), (list, cuts) => {
        const written = list.map(bytesOf);
        let end = 0;
        const expected = written.map(({ length }) => (end += length));
        const all = Buffer.concat(written);
        const chunks = split(all.toString('latin1'), cuts).map((text) => Buffer.from(text, 'latin1'));
        expect(boundaries(new FrameTracker(), chunks)).to.deep.equal(expected);
        const passed = new FrameTracker();
        for (const chunk of chunks) passed.pass(chunk);
        expect([passed.atBoundary, passed.closed]).to.deep.equal([true, false]);
      }),
    );
  });

  it('knows at every byte whether a frame is under way', () => {
    fc.assert(
      fc.property(fc.array(frames, { minLength: 1, maxLength: 3 }), (list) => {
        const tracker = new FrameTracker();
        for (const frame of list) {
          const bytes = bytesOf(frame);
          for (let i = 0; i < bytes.length; i++) {
            // The inside of a large payload says nothing new.
            if (i > 200 && i < bytes.length - 2) continue;
            expect(tracker.atBoundary).to.equal(i === 0);
            const next = i === 200 && bytes.length > 202 ? bytes.length - 2 : i + 1;
            tracker.pass(bytes.subarray(i, next));
          }
          expect(tracker.atBoundary).to.equal(true);
        }
      }),
    );
  });

  it('says that the direction is closed once a whole Close frame has passed, and not for a payload that looks like one', () => {
    for (const mask of [false, true]) {
      const close = bytesOf({ opcode: 8, fin: true, mask, payload: Buffer.from([0x03, 0xe8]) });
      const tracker = new FrameTracker();
      tracker.pass(bytesOf({ opcode: 2, fin: true, mask: false, payload: close }));
      expect(tracker.closed).to.equal(false);
      tracker.pass(close.subarray(0, -1));
      expect(tracker.closed).to.equal(false);
      tracker.pass(close.subarray(-1));
      expect(tracker.closed).to.equal(true);
    }
  });

  it('lets a frame be put in at any boundary of a fragmented message, and ws reads both', async () => {
    const fragments = [
      { opcode: 1, fin: false, mask: false, payload: Buffer.alloc(70_000, 'a') },
      { opcode: 0, fin: false, mask: false, payload: Buffer.alloc(200, 'b') },
      { opcode: 0, fin: true, mask: false, payload: Buffer.alloc(3, 'c') },
    ].map(bytesOf);
    const all = Buffer.concat(fragments);
    const ping = bytesOf({ opcode: 9, fin: true, mask: false, payload: Buffer.from('between') });
    const ends = boundaries(new FrameTracker(), [all]);
    for (const end of [0, ...ends]) {
      const receiver = new Receiver({ isServer: false });
      const heard: string[] = [];
      receiver.on('ping', (data: Buffer) => heard.push(`ping ${data.toString()}`));
      receiver.on('message', (data: Buffer) => heard.push(`message of ${data.length}`));
      const source = new PassThrough();
      source.end(Buffer.concat([all.subarray(0, end), ping, all.subarray(end)]));
      const done = new Promise((resolve, reject) => receiver.on('finish', resolve).on('error', reject));
      source.pipe(receiver);
      await done;
      expect(heard).to.have.members(['ping between', 'message of 70203']);
    }
  });
});
