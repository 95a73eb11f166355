import { expect } from 'chai';
import fc from 'fast-check';
import { History } from '../../../../src/controller/history/history.ts';
import type { HistoryEvent, HistoryLine } from '../../../../src/controller/history/history.ts';
import { makeEntry } from '../../../../src/controller/translate/entry.ts';
import type { Entry } from '../../../../src/snapshot/model.ts';

const event = (generation: number, result: HistoryEvent['result'] = 'applied'): HistoryEvent => ({
  generation,
  time: generation,
  sourceHash: `hash ${generation}`,
  result,
  durationSeconds: 0.1,
});
const entriesOf = (values: Readonly<Record<string, number>>): ReadonlyMap<string, Entry> =>
  new Map(Object.entries(values).map(([name, value]) => [name, makeEntry(name, { value })]));

describe('History', () => {
  it('gives back every generation that it keeps exactly as it was, and no others', () => {
    const state = fc.dictionary(fc.constantFrom('Route/a', 'Route/b', 'Upstream/c', 'Edge'), fc.nat(3));
    fc.assert(
      fc.property(fc.array(state, { minLength: 1, maxLength: 12 }), (states) => {
        const history = new History({ limits: { kept: 5, characters: 1e6 } });
        states.forEach((values, i) => history.served(event(i + 1), entriesOf(values)));
        states.forEach((values, i) => {
          const kept = i >= states.length - 5;
          const found = history.entriesOf(i + 1);
          if (!kept) expect(found).to.equal(undefined);
          else expect([...(found ?? [])]).to.have.deep.members([...entriesOf(values)]);
        });
        expect(history.records.every(({ restorable }) => restorable)).to.equal(true);
      }),
    );
  });

  it('lists generations in their order, with what was refused meanwhile, also when the clock was set back', () => {
    const history = new History();
    history.served(event(1), entriesOf({ 'Route/a': 1 }));
    history.refused({ ...event(1, 'refused'), time: -50 });
    history.served({ ...event(2), time: -40 }, entriesOf({ 'Route/a': 2 }));
    history.served({ ...event(3), time: -60 }, entriesOf({ 'Route/a': 3 }));
    const listed = history.records.map(({ generation, result }) => `${generation} ${result}`);
    expect(listed).to.deep.equal(['1 applied', '1 refused', '2 applied', '3 applied']);
  });

  it('says of each generation what it changed against the one before', () => {
    const history = new History();
    history.served(event(1), entriesOf({ 'Route/a': 1, 'Route/b': 1 }));
    history.served(event(2), entriesOf({ 'Route/a': 2, 'Route/c': 1 }));
    const [first, second] = history.records;
    expect(first).to.deep.include({ generation: 1, added: 2, changed: 0, removed: 0, changes: [] });
    expect(second).to.deep.include({ generation: 2, added: 1, changed: 1, removed: 1, restorable: true });
    expect(second?.changes).to.deep.equal([
      {
        key: 'Route/a',
        change: 'changed',
        fields: [{ path: 'value', from: 1, to: 2 }],
        fieldCount: 1,
      },
      { key: 'Route/b', change: 'removed', fields: [], fieldCount: 0 },
      { key: 'Route/c', change: 'added', fields: [], fieldCount: 0 },
    ]);
  });

  it('shows old and new values without what its name or its look gives away as a secret, and not all of long ones', () => {
    const history = new History();
    const serve = (generation: number, value: object): void =>
      history.served(event(generation), new Map([['Middleware/m', makeEntry('Middleware/m', value)]]));
    serve(1, {
      set: { authorization: 'old', 'x-api-key': 'old', 'x-note': 'Bearer abcdefghijkl' },
      z: [],
    });
    serve(2, {
      set: { authorization: 'new', 'x-api-key': 'new', 'x-note': 'plain' },
      z: Array.from({ length: 500 }, (_, i) => `n${i}`),
      long: 'a'.repeat(1000),
    });
    const [change] = history.records[1]?.changes ?? [];
    const fieldOf = (path: string) => change?.fields.find((field) => field.path === path);
    expect(fieldOf('set.authorization')).to.include({ from: '[redacted]', to: '[redacted]' });
    expect(fieldOf('set.x-api-key')).to.include({ from: '[redacted]', to: '[redacted]' });
    expect(fieldOf('set.x-note')).to.include({ from: 'Bearer [redacted]', to: 'plain' });
    expect(change?.fields).to.have.length(20);
    expect(change?.fieldCount).to.equal(504);
    serve(3, { long: 'b'.repeat(1000), set: {} });
    const cut = history.records[2]?.changes[0]?.fields.find(({ path }) => path === 'long');
    expect(cut).to.deep.equal({
      path: 'long',
      from: `"${'a'.repeat(199)}…`,
      to: `"${'b'.repeat(199)}…`,
      cut: true,
    });
    expect(JSON.stringify(history.records)).not.to.match(/"(old|new)"|abcdefghijkl/);
  });

  it('goes on from its lines after a restart as if there had been none', () => {
    const state = fc.dictionary(fc.constantFrom('Route/a', 'Route/b', 'Upstream/c', 'Edge'), fc.nat(3));
    const step = fc.oneof(state, fc.constant('refused' as const));
    fc.assert(
      fc.property(
        fc.array(step, { minLength: 1, maxLength: 12 }),
        fc.nat(12),
        fc.constantFrom(20, 1e6),
        (steps, restart, characters) => {
          const limits = { kept: 5, characters };
          const whole = new History({ limits });
          let restarted = new History({ limits });
          const lines: HistoryLine[] = [];
          let journaled = new History({ limits, noted: (line) => lines.push(line) });
          steps.forEach((values, i) => {
            if (i === restart) {
              restarted = new History({
                limits,
                lines: JSON.parse(JSON.stringify(restarted.lines)) as HistoryLine[],
              });
              journaled = new History({ limits, lines });
            }
            for (const history of [whole, restarted, journaled]) {
              if (values === 'refused') history.refused(event(i + 1, 'refused'));
              else history.served(event(i + 1), entriesOf(values));
            }
          });
          for (const history of [restarted, journaled]) {
            expect(history.last).to.equal(whole.last);
            // Whether a generation can be gone back to may be forgotten later, but never wrongly said.
            expect(history.records.map(({ generation }) => generation)).to.deep.equal(
              whole.records.map(({ generation }) => generation),
            );
            for (const { generation, restorable } of history.records) {
              const found = history.entriesOf(generation);
              expect(found !== undefined).to.equal(restorable);
              const expected = steps[generation - 1];
              if (found !== undefined && expected !== 'refused')
                expect([...found]).to.have.deep.members([...entriesOf(expected ?? {})]);
            }
          }
          const restorable = (history: History): readonly number[] =>
            history.records.flatMap((record) => (record.restorable ? [record.generation] : []));
          if (characters > 1000) {
            expect(restorable(restarted)).to.deep.equal(restorable(whole));
            expect(restorable(journaled)).to.deep.equal(restorable(whole));
          }
        },
      ),
    );
  });

  it('does not let refused reconciles push out what one can go back to', () => {
    const history = new History();
    history.served(event(1), entriesOf({ 'Route/a': 1 }));
    history.served(event(2), entriesOf({ 'Route/a': 2 }));
    for (let i = 0; i < 50; i += 1) history.refused({ ...event(2, 'refused'), time: 3 + i });
    expect(history.records).to.have.length(22);
    expect(history.records.filter(({ restorable }) => restorable)).to.have.length(2);
    expect(history.entriesOf(1)?.get('Route/a')).to.deep.equal(entriesOf({ 'Route/a': 1 }).get('Route/a'));
    expect(history.recordOf(2)?.result).to.equal('applied');
  });

  it('forgets the way back to the oldest ones rather than keep more than it may', () => {
    const history = new History({ limits: { kept: 20, characters: 60 } });
    for (let i = 1; i <= 10; i += 1) history.served(event(i), entriesOf({ 'Route/a': i }));
    const restorable = history.records.map((record) => record.restorable);
    expect(restorable.indexOf(true)).to.be.within(1, 8);
    expect(restorable).to.deep.equal([...restorable].sort((a, b) => Number(a) - Number(b)));
    expect(history.entriesOf(1)).to.equal(undefined);
    expect(history.entriesOf(9)?.get('Route/a')?.json).to.equal('{"value":9}');
  });

  it('keeps what changed, not all that there is: entries of 20 generations are the same objects', () => {
    const entry = (i: number, version: number): Entry => makeEntry(`Route/default/r${i}`, { i, version });
    let entries = new Map(Array.from({ length: 1000 }, (_, i) => [`Route/default/r${i}`, entry(i, 0)]));
    const history = new History();
    history.served(event(1), entries);
    for (let generation = 2; generation <= 20; generation += 1) {
      entries = new Map(entries).set(`Route/default/r${generation}`, entry(generation, generation));
      history.served(event(generation), entries);
    }
    const first = history.entriesOf(1);
    expect(first?.size).to.equal(1000);
    expect(first?.get('Route/default/r2')).to.deep.equal(entry(2, 0));
    const unchanged = 'Route/default/r999';
    expect(first?.get(unchanged)).to.equal(entries.get(unchanged));
  });
});
