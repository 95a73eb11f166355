import { expect } from 'chai';
import { existsSync, readdirSync, readFileSync } from 'node:fs';

const root = new URL('../../../', import.meta.url);
const read = (path: string): string => readFileSync(new URL(path, root), 'utf8');
const list = (path: string): string[] => readdirSync(new URL(path, root));

describe('docs/architecture.md', () => {
  it('lists the rooms that src has', () => {
    const rooms = read('docs/architecture.md').split('## Rooms')[1]?.split('\n## ')[0] ?? '';
    const named = [...rooms.matchAll(/^\| ([^|]+) \|/gm)].flatMap(([, cell = '']) =>
      [...cell.matchAll(/`([a-z-]+(?:\/|\.ts))`/g)].map(([, name = '']) => name.replace('/', '')),
    );
    expect(named.sort()).to.deep.equal(list('src').sort());
  });
});

describe('docs/decisions', () => {
  const files = list('docs/decisions');

  it('gives each number once, in the file name and in the title', () => {
    const numbers = files.map((name) => Number(/^(\d{4})-[a-z0-9-]+\.md$/.exec(name)?.[1]));
    expect(new Set(numbers).size, files.join(', ')).to.equal(files.length);
    const titles = files.map((name) => Number(/^# (\d+)\. /.exec(read(`docs/decisions/${name}`))?.[1]));
    expect(titles).to.deep.equal(numbers);
  });
});

describe('docs/beside-traefik.md', () => {
  it('names tests that are there', () => {
    const named = [...read('docs/beside-traefik.md').matchAll(/\[([^\]]+)\]\(\.\.\/(test\/[^)]+)\)/g)];
    expect(named.length).to.be.at.least(10);
    for (const [, title = '', path = ''] of named) {
      const source = read(path);
      const isThere = [`it('${title}'`, `describe('${title}'`].some((place) => source.includes(place));
      expect(isThere, `${path}: ${title}`).to.equal(true);
    }
  });
});

describe('the figures of the README', () => {
  it('are those of docs/performance.md', () => {
    const cells = [
      ...read('docs/performance.md').matchAll(/\| \**([\w.-]+)[^|]*\|[^|]*\| \**([\d.]+)\** (?=\|)/g),
    ];
    const said = [...read('README.md').matchAll(/(HAProxy|mgateway|Envoy) (\d\.\d\d)/g)];
    expect(said).to.have.length(6);
    for (const name of ['HAProxy', 'mgateway', 'Envoy']) {
      const ratios = (found: readonly RegExpMatchArray[]): readonly unknown[] =>
        found.filter((each) => each[1] === name).map((each) => each[2]);
      expect(ratios(said), name).to.deep.equal(ratios(cells).slice(0, 2));
    }
  });
});

describe('links between pages', () => {
  for (const page of [
    'README.md',
    'CONTRIBUTING.md',
    ...list('docs')
      .filter(isPage)
      .map((name) => `docs/${name}`),
  ]) {
    it(`lead somewhere from ${page}`, () => {
      const targets = [...read(page).matchAll(/\]\((?![a-z]+:|#)([^)#\s]+)/g)].map(
        ([, target = '']) => target,
      );
      const dead = targets.filter((target) => !existsSync(new URL(target, new URL(page, root))));
      expect(dead).to.deep.equal([]);
    });
  }
});

function isPage(name: string): boolean {
  return name.endsWith('.md');
}
