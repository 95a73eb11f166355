import { expect } from 'chai';
import { describe, it } from 'mocha';
import { createProblemLog } from '../../../../src/controller/status/problem-log.ts';
import { spread } from '../../../../src/controller/status/spread.ts';
import type { LogRecord, Problem } from '../../../../src/snapshot/messages.ts';
import type { Logger } from '../../../../src/telemetry/log.ts';

function problem(file: string, line: number, message = `problem ${line}`): Problem {
  return { at: `${file}:${line}:3`, path: 'spec.x', message, hint: 'h' };
}

function flood(file: string, count: number): readonly Problem[] {
  return Array.from({ length: count }, (_, i) => problem(file, i + 1));
}

describe('createProblemLog', () => {
  function open() {
    const records: Pick<LogRecord, 'level' | 'message' | 'fields'>[] = [];
    const at =
      (level: LogRecord['level']): Logger['info'] =>
      (message, fields = {}) =>
        records.push({ level, message, fields });
    const log = { error: at('error'), warn: at('warn'), info: at('info'), debug: at('debug') };
    return { records, problems: createProblemLog(log), take: () => records.splice(0) };
  }

  it('says a problem once when it comes and once when it goes, wherever it moves, under names of its own', () => {
    const { problems, take } = open();
    problems.update([problem('a.yaml', 3, 'is wrong')], [problem('b.yaml', 1, 'is odd')]);
    const fields = { at: 'a.yaml:3:3', path: 'spec.x', reason: 'is wrong', hint: 'h' };
    expect(take()).to.deep.equal([
      { level: 'error', message: 'configuration problem', fields },
      {
        level: 'warn',
        message: 'configuration problem',
        fields: { ...fields, at: 'b.yaml:1:3', reason: 'is odd' },
      },
    ]);
    problems.update([problem('a.yaml', 9, 'is wrong')], [problem('b.yaml', 1, 'is odd')]);
    expect(take()).to.deep.equal([]);
    problems.update([], []);
    expect(take().map(({ message }) => message)).to.deep.equal([
      'configuration problem is gone',
      'configuration problem is gone',
    ]);
  });

  it('writes 100 lines of 150,000 problems, says how many more there are, and none hides that of another file', () => {
    const { problems, take } = open();
    problems.update([...flood('flood.yaml', 150_000), problem('small.yaml', 7)], []);
    const records = take();
    expect(records).to.have.length(101);
    expect(records.map(({ fields }) => fields?.['at'])).to.include('small.yaml:7:3');
    expect(records.at(-1)).to.deep.equal({
      level: 'warn',
      message: 'further configuration problems not logged',
      fields: { count: 149_901 },
    });
  });
});

describe('spread', () => {
  it('gives every file an equal share, fills up with what is left, and keeps the order', () => {
    const all = [...flood('a', 50), ...flood('b', 2), ...flood('c', 50)];
    const chosen = spread(all, 20);
    expect(chosen).to.have.length(20);
    const count = (file: string): number => chosen.filter(({ at }) => at.startsWith(`${file}:`)).length;
    expect([count('a') >= 6, count('b'), count('c')]).to.deep.equal([true, 2, 6]);
    expect(chosen).to.deep.equal(all.filter((each) => chosen.includes(each)));
    expect(spread(all, 1000)).to.equal(all);
  });
});
