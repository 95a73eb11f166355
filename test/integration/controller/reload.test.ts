import { execFileSync } from 'node:child_process';
import {
  appendFileSync,
  mkdirSync,
  renameSync,
  rmSync,
  symlinkSync,
  unlinkSync,
  writeFileSync,
} from 'node:fs';
import { join } from 'node:path';
import { expect } from 'chai';
import type { Problem } from '../../../src/snapshot/messages.ts';
import { cleanupAfterEach } from '../../support/cleanup.ts';
import { eventually } from '../../support/eventually.ts';
import { tempDir } from '../../support/temp-dir.ts';
import { prefixOf, routeDocument, startMainStandIn } from './main-stand-in.ts';

/** Writes a version of a mounted ConfigMap exactly as the kubelet's AtomicWriter does. */
function writeConfigMap(
  dir: string,
  version: string,
  files: Readonly<Record<string, string>>,
  previous?: string,
): void {
  const stamped = `..2026_11_23_${version}`;
  mkdirSync(join(dir, stamped));
  for (const [name, text] of Object.entries(files)) writeFileSync(join(dir, stamped, name), text);
  symlinkSync(stamped, join(dir, '..data_tmp'));
  renameSync(join(dir, '..data_tmp'), join(dir, '..data'));
  for (const name of Object.keys(files)) {
    try {
      symlinkSync(join('..data', name), join(dir, name));
    } catch {
      // The link of the version before stays.
    }
  }
  if (previous !== undefined) rmSync(join(dir, `..2026_11_23_${previous}`), { recursive: true });
}

describe('hot reload of a directory', () => {
  const cleanup = cleanupAfterEach();

  it('takes up files that are added, edited, renamed and deleted', async () => {
    const dir = tempDir(cleanup);
    writeFileSync(join(dir, 'a.yaml'), routeDocument('a'));
    const main = startMainStandIn(cleanup, { paths: [dir] });
    await eventually(() => expect(main.routes()).to.deep.equal(['a']));
    writeFileSync(join(dir, 'b.yml'), routeDocument('b'));
    await eventually(() => expect(main.routes()).to.deep.equal(['a', 'b']));
    writeFileSync(join(dir, 'a.yaml'), routeDocument('a', '/edited'));
    await eventually(() => expect(prefixOf(main, 'a')).to.equal('/edited'));
    const generation = main.generation();
    renameSync(join(dir, 'b.yml'), join(dir, 'c.json.yaml'));
    await eventually(async () => {
      const { resources } = (await main.query('resources')) as { resources: { name: string; at: string }[] };
      expect(resources.find(({ name }) => name === 'b')?.at).to.contain('c.json.yaml');
    });
    expect(main.routes()).to.deep.equal(['a', 'b']);
    expect(main.generation(), 'a rename changes nothing that is served').to.equal(generation);
    unlinkSync(join(dir, 'a.yaml'));
    await eventually(() => expect(main.routes()).to.deep.equal(['b']));
  });

  it('takes up an atomic save, and an editor that removes the file before it writes it anew', async () => {
    const dir = tempDir(cleanup);
    const file = join(dir, 'a.yaml');
    writeFileSync(file, routeDocument('a'));
    const main = startMainStandIn(cleanup, { paths: [dir] });
    await eventually(() => expect(main.routes()).to.deep.equal(['a']));
    for (const prefix of ['/one', '/two', '/three']) {
      writeFileSync(join(dir, '.a.yaml.swp'), routeDocument('a', prefix));
      renameSync(join(dir, '.a.yaml.swp'), file);
      await eventually(() => expect(prefixOf(main, 'a')).to.equal(prefix));
    }
    renameSync(file, `${file}~`);
    writeFileSync(file, routeDocument('a', '/four'));
    await eventually(() => expect(prefixOf(main, 'a')).to.equal('/four'));
    expect(main.statuses.some(({ result }) => result === 'refused')).to.equal(false);
  });

  it('follows the kubelet swapping ..data, every version whole', async () => {
    const dir = tempDir(cleanup);
    const version = (n: number): Record<string, string> => ({
      'a.yaml': routeDocument('a', `/v${n}`),
      'b.yaml': routeDocument('b', `/v${n}`),
      ...(n % 2 === 0 && { 'c.yaml': routeDocument('c', `/v${n}`) }),
    });
    writeConfigMap(dir, '0', version(0));
    const mixed: string[] = [];
    const main = startMainStandIn(cleanup, {
      paths: [dir],
      refuse: (entries) => {
        const seen = [...entries.values()]
          .filter(({ key }) => /Route\/default\/[ab]$/.test(key))
          .map(({ json }) => /"\/v(\d+)"/.exec(json)?.[1]);
        if (new Set(seen).size !== 1) mixed.push(seen.join());
        return [];
      },
    });
    await eventually(() => expect(main.routes()).to.deep.equal(['a', 'b', 'c']));
    for (let n = 1; n <= 12; n += 1) {
      writeConfigMap(dir, `${n}`, version(n), `${n - 1}`);
      if (n % 2 === 1) unlinkSync(join(dir, 'c.yaml'));
      if (n % 3 === 0) await eventually(() => expect(prefixOf(main, 'a')).to.equal(`/v${n}`));
    }
    await eventually(() => expect(prefixOf(main, 'a')).to.equal('/v12'));
    await eventually(() => expect(main.routes()).to.deep.equal(['a', 'b', 'c']));
    expect(mixed).to.deep.equal([]);
  });

  it('follows a swap when the --config path is one file of the mount', async () => {
    const dir = tempDir(cleanup);
    writeConfigMap(dir, '1', { 'a.yaml': routeDocument('a', '/v1') });
    const main = startMainStandIn(cleanup, { paths: [join(dir, 'a.yaml')] });
    await eventually(() => expect(prefixOf(main, 'a')).to.equal('/v1'));
    for (const n of [2, 3]) {
      writeConfigMap(dir, `${n}`, { 'a.yaml': routeDocument('a', `/v${n}`) }, `${n - 1}`);
      await eventually(() => expect(prefixOf(main, 'a')).to.equal(`/v${n}`));
    }
  });

  it('does not read a file that is still growing, and serves the others meanwhile', async () => {
    const dir = tempDir(cleanup);
    writeFileSync(join(dir, 'a.yaml'), routeDocument('a'));
    const main = startMainStandIn(cleanup, { paths: [dir] });
    await eventually(() => expect(main.routes()).to.deep.equal(['a']));
    const text = `${routeDocument('grown')}---\n${routeDocument('later')}`;
    writeFileSync(join(dir, 'b.yaml'), '');
    const bytes = [...text];
    const writing = setInterval(() => {
      appendFileSync(join(dir, 'b.yaml'), bytes.splice(0, 6).join(''));
      if (bytes.length === 0) clearInterval(writing);
    }, 15);
    cleanup.add(() => clearInterval(writing));
    writeFileSync(join(dir, 'c.yaml'), routeDocument('c'));
    await eventually(() => expect(main.routes()).to.include('c'));
    await eventually(() => expect(main.routes()).to.deep.equal(['a', 'c', 'grown', 'later']));
    expect(main.statuses.filter(({ problems }) => problems > 0)).to.deep.equal([]);
  });

  it('keeps what a broken file held, says where it is broken, and takes it up when it is repaired', async () => {
    const dir = tempDir(cleanup);
    writeFileSync(join(dir, 'a.yaml'), `${routeDocument('a')}---\n${routeDocument('a2')}`);
    writeFileSync(join(dir, 'b.yaml'), routeDocument('b'));
    const main = startMainStandIn(cleanup, { paths: [dir] });
    await eventually(() => expect(main.routes()).to.deep.equal(['a', 'a2', 'b']));
    writeFileSync(join(dir, 'a.yaml'), 'kind: Route\n  spec: [\n');
    writeFileSync(join(dir, 'b.yaml'), routeDocument('b', '/b2'));
    await eventually(() => expect(prefixOf(main, 'b')).to.equal('/b2'));
    expect(main.routes()).to.deep.equal(['a', 'a2', 'b']);
    await eventually(() => expect(main.statuses.at(-1)?.result).to.equal('partial'));
    await eventually(() => {
      const record = main.logs.find(({ message }) => message === 'configuration problem');
      expect(record?.fields?.['at']).to.match(/a\.yaml:\d+:\d+$/);
    });
    writeFileSync(join(dir, 'a.yaml'), '# nothing\n');
    await eventually(() => expect(main.statuses.at(-1)?.result).to.equal('refused'));
    expect(main.routes()).to.deep.equal(['a', 'a2', 'b']);
    writeFileSync(join(dir, 'a.yaml'), routeDocument('a', '/repaired'));
    await eventually(() => expect(prefixOf(main, 'a')).to.equal('/repaired'));
    expect(main.routes(), 'a valid file no longer holds a2').to.deep.equal(['a', 'b']);
    await eventually(() => {
      expect(main.logs.map(({ message }) => message)).to.include('configuration problem is gone');
    });
  });

  it('takes a key set and other JSON beside resources for what they are, and not for a deletion', async () => {
    const dir = tempDir(cleanup);
    const keys = join(dir, 'jwks.json');
    writeFileSync(keys, '{"keys": []}');
    writeFileSync(join(dir, 'settings.json'), '{"theme": "dark"}');
    const jwt = `jwt: { issuers: [{ issuer: i, jwks: { file: "${keys}" }, algorithms: [RS256] }] }`;
    writeFileSync(join(dir, 'a.yaml'), `${routeDocument('a')}  middlewares: [{ ${jwt} }]\n`);
    writeFileSync(
      join(dir, 'b.json'),
      '{"apiVersion": "mgateway.dev/v1alpha1", "kind": "Route", "metadata": {"name": "b"}, "spec": {"upstreams": [{"url": "http://127.0.0.1:1"}]}}',
    );
    const main = startMainStandIn(cleanup, { paths: [dir] });
    const status = async () =>
      (await main.query('status')) as { problemList: Problem[]; warnings: Problem[]; resources: unknown[] };
    await eventually(() => expect(main.routes()).to.deep.equal(['a', 'b']));
    await eventually(() => expect(main.statuses.at(-1)).to.include({ result: 'applied', problems: 0 }));
    expect(main.json('Route/default/a')).not.to.have.property('unsecured');
    expect((await status()).warnings).to.deep.equal([
      {
        at: join(dir, 'settings.json'),
        path: '',
        message: 'holds neither apiVersion nor kind: no resource is read from it',
      },
    ]);
    writeFileSync(join(dir, 'b.json'), '{"theme": "light"}');
    writeFileSync(join(dir, 'c.json'), '{"metadata": {"name": "c"}');
    await eventually(async () => expect((await status()).problemList).to.have.length.above(1));
    expect(
      (await status()).problemList.map(({ at }) => at.slice(dir.length + 1, dir.length + 7)),
    ).to.include.members(['b.json', 'c.json']);
    expect(main.routes()).to.deep.equal(['a', 'b']);
  });

  it('deletes nothing when the whole directory vanishes, and goes on when it is back', async () => {
    const parent = tempDir(cleanup);
    const dir = join(parent, 'config');
    mkdirSync(dir);
    writeFileSync(join(dir, 'a.yaml'), routeDocument('a'));
    const main = startMainStandIn(cleanup, { paths: [dir] });
    await eventually(() => expect(main.routes()).to.deep.equal(['a']));
    renameSync(dir, join(parent, 'away'));
    await eventually(() => expect(main.statuses.at(-1)?.result).to.equal('refused'));
    const status = (await main.query('status')) as { problemList: { message: string }[] };
    expect(status.problemList[0]?.message).to.match(/^SourceMissing/);
    expect(main.routes()).to.deep.equal(['a']);
    mkdirSync(dir);
    writeFileSync(join(dir, 'a.yaml'), routeDocument('a', '/back'));
    await eventually(() => expect(prefixOf(main, 'a')).to.equal('/back'));
    writeFileSync(join(dir, 'a.yaml'), routeDocument('a', '/watched-again'));
    await eventually(() => expect(prefixOf(main, 'a')).to.equal('/watched-again'));
  });

  it('is neither held up nor brought down by what is no regular file', async () => {
    const dir = tempDir(cleanup);
    writeFileSync(join(dir, 'a.yaml'), routeDocument('a'));
    execFileSync('mkfifo', [join(dir, 'fifo.yaml')]);
    mkdirSync(join(dir, 'directory.yaml'));
    symlinkSync('/dev/zero', join(dir, 'zero.yaml'));
    symlinkSync('/proc/self/mem', join(dir, 'mem.yaml'));
    symlinkSync('loop.yaml', join(dir, 'loop.yaml'));
    symlinkSync('/nowhere.yaml', join(dir, 'dangling.yaml'));
    writeFileSync(join(dir, 'large.yaml'), `# ${'x'.repeat(5000)}\n`);
    const main = startMainStandIn(cleanup, { paths: [dir], data: { maxFileBytes: 4000 } });
    // The oversized file may hold a Gateway, so that without one nothing listens: give it one.
    await eventually(() => expect(main.statuses.at(-1)?.result).to.equal('refused'));
    writeFileSync(
      join(dir, 'gateway.yaml'),
      'apiVersion: mgateway.dev/v1alpha1\nkind: Gateway\nmetadata: { name: g }\nspec: { listeners: [{ name: http, port: 8080 }] }\n',
    );
    await eventually(() => expect(main.routes()).to.deep.equal(['a']));
    const { problemList } = (await main.query('status')) as {
      problemList: { at: string; message: string }[];
    };
    const said = Object.fromEntries(
      problemList.map(({ at, message }) => [at.slice(dir.length + 1), message]),
    );
    expect(said).to.include({
      'fifo.yaml': 'is a FIFO, not a regular file',
      'directory.yaml': 'is a directory, not a regular file',
      'zero.yaml': 'is a device, not a regular file',
      'loop.yaml': 'is a loop of symbolic links',
      'dangling.yaml': 'does not exist',
      'large.yaml': 'is larger than 4000 bytes',
    });
    // A file that turns into a FIFO keeps what it held.
    unlinkSync(join(dir, 'a.yaml'));
    execFileSync('mkfifo', [join(dir, 'a.yaml')]);
    await eventually(async () => {
      const now = (await main.query('status')) as { problemList: { at: string }[] };
      expect(now.problemList.map(({ at }) => at)).to.include(join(dir, 'a.yaml'));
    });
    expect(main.routes()).to.deep.equal(['a']);
  });

  it('keeps the accepted one of two documents of one name, wherever the other appears', async () => {
    const dir = tempDir(cleanup);
    writeFileSync(join(dir, 'b.yaml'), routeDocument('a', '/first'));
    const main = startMainStandIn(cleanup, { paths: [dir] });
    await eventually(() => expect(main.routes()).to.deep.equal(['a']));
    writeFileSync(join(dir, 'a.yaml'), routeDocument('a', '/second'));
    await eventually(() => expect(main.statuses.at(-1)?.problems).to.equal(1));
    expect(prefixOf(main, 'a')).to.equal('/first');
    const { problemList } = (await main.query('status')) as {
      problemList: { at: string; message: string }[];
    };
    expect(problemList[0]?.at).to.equal(`${join(dir, 'a.yaml')}:1:1`);
    expect(problemList[0]?.message).to.contain(`${join(dir, 'b.yaml')}:1:1`);
    unlinkSync(join(dir, 'b.yaml'));
    await eventually(() => expect(prefixOf(main, 'a')).to.equal('/second'));
  });
});
