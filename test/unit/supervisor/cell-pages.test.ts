import { expect } from 'chai';
import { describe, it } from 'mocha';
import type { EndpointCells } from '../../../src/snapshot/messages.ts';
import { CellPages } from '../../../src/supervisor/cell-pages.ts';

describe('CellPages', () => {
  const cellsOf = (slot: EndpointCells): Int32Array => new Int32Array(slot.buffer, slot.offset * 4, 3);

  it('uses a freed slot again only when nothing is in flight on it and it has rested', () => {
    let now = 0;
    const pages = new CellPages(2, () => now);
    const slot = pages.take();
    cellsOf(slot).set([0, 0, 1]);
    pages.free(slot);
    now = 59_000;
    expect(pages.take()).not.to.deep.equal(slot);
    now = 61_000;
    expect(pages.take()).not.to.deep.equal(slot);
    cellsOf(slot)[2] = 0;
    const again = pages.take();
    expect(again).to.deep.equal(slot);
    expect([...cellsOf(again)]).to.deep.equal([1, 0, 0]);
  });

  it('forgets what a dead worker had in flight, on every page, and nothing of the others', () => {
    const pages = new CellPages(2, () => 0);
    const slots = Array.from({ length: 12_000 }, () => pages.take());
    for (const slot of slots) cellsOf(slot).set([1, 5, 7]);
    pages.forgetWorker(1);
    expect(new Set(slots.map(({ buffer }) => buffer)).size).to.be.greaterThan(1);
    expect(slots.every((slot) => cellsOf(slot).join() === '1,5,0')).to.equal(true);
  });

  it('never gives two endpoints the same slot', () => {
    const pages = new CellPages(2, () => 0);
    const slots = Array.from({ length: 12_000 }, () => pages.take());
    for (const [i, slot] of slots.entries()) cellsOf(slot)[1] = i;
    expect(slots.every((slot, i) => cellsOf(slot)[1] === i)).to.equal(true);
  });
});
