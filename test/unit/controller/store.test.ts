import { expect } from 'chai';
import fc from 'fast-check';
import type { Document, StoreFile, StoreInput } from '../../../src/controller/store/document.ts';
import { emptyStore, nextStore, wholeStore } from '../../../src/controller/store/store.ts';
import type { Store } from '../../../src/controller/store/store.ts';

interface DocumentSpec {
  /** Undefined: it cannot be told whose it is. */
  readonly name: string | undefined;
  readonly version: number;
  readonly good: boolean;
}

type FileSpec = 'unreadable' | 'broken' | 'restless' | readonly DocumentSpec[];

function documentOf({ name, version, good }: DocumentSpec, path: string, index: number): Document {
  const at = `${path}:${index + 1}:1`;
  const accepted = good && name !== undefined;
  return {
    key: name === undefined ? undefined : `Route/default/${name}`,
    kind: name === undefined ? 'Unknown' : 'Route',
    namespace: 'default',
    name: name ?? '',
    hash: `${name}-${version}-${good}`,
    at,
    accepted,
    resource: accepted ? { version } : undefined,
    problems: accepted ? [] : [{ at, path: 'spec', message: 'is wrong' }],
    locate: () => at,
  };
}

function fileOf(path: string, spec: FileSpec): StoreFile {
  const root = path.split('/')[0] ?? '';
  if (spec === 'restless') return { root, path, content: { state: 'restless' } };
  const problems = [{ at: path, path: '', message: 'is wrong' }];
  if (spec === 'unreadable') return { root, path, content: { state: 'unreadable', problems } };
  if (spec === 'broken')
    return { root, path, content: { state: 'read', documents: [], problems, whole: false } };
  const documents = spec.map((document, index) => documentOf(document, path, index));
  return { root, path, content: { state: 'read', documents, problems: [], whole: true } };
}

function inputOf(files: Readonly<Record<string, FileSpec>>, missing: readonly string[] = []): StoreInput {
  return {
    files: Object.entries(files)
      .filter(([path]) => !missing.some((root) => path.startsWith(`${root}/`)))
      .map(([path, spec]) => fileOf(path, spec)),
    missing: missing.map((root) => ({ root, reason: 'does not exist' })),
  };
}

function apply(...steps: readonly StoreInput[]): Store {
  return steps.reduce<Store>((store, input) => nextStore(store, input), emptyStore);
}

/** name → version that is accepted. */
function acceptedIn(store: Store): Record<string, unknown> {
  return Object.fromEntries(
    [...store.resources.values()]
      .filter(({ accepted }) => accepted !== undefined)
      .map(({ name, accepted }) => [name, (accepted?.resource as { version: number }).version]),
  );
}

const good = (name: string, version = 1): DocumentSpec => ({ name, version, good: true });
const bad = (name: string | undefined, version = 1): DocumentSpec => ({ name, version, good: false });

describe('nextStore', () => {
  it('keeps the last accepted version of a refused document, and takes the others of its file', () => {
    const store = apply(
      inputOf({ 'd/a': [good('x'), good('y')] }),
      inputOf({ 'd/a': [bad('x', 2), good('y', 2)] }),
    );
    expect(acceptedIn(store)).to.deep.equal({ x: 1, y: 2 });
    expect(store.resources.get('Route/default/x')).to.include({ fallback: 'DocumentRefused', at: 'd/a:1:1' });
  });

  for (const spec of ['unreadable', 'broken', 'restless', []] as const) {
    it(`keeps all that a file held when it is ${typeof spec === 'string' ? spec : 'empty'}`, () => {
      const first = inputOf({ 'd/a': [good('x'), good('y')], 'd/b': [good('z')] });
      const store = apply(first, inputOf({ 'd/a': spec, 'd/b': [good('z', 2)] }));
      expect(acceptedIn(store)).to.deep.equal({ x: 1, y: 1, z: 2 });
    });
  }

  it('removes what a file that still holds a valid resource holds no longer', () => {
    const store = apply(inputOf({ 'd/a': [good('x'), good('y')] }), inputOf({ 'd/a': [good('y')] }));
    expect(acceptedIn(store)).to.deep.equal({ y: 1 });
  });

  it('keeps what is missing from a file in which every resource is refused, or one cannot be identified', () => {
    const first = inputOf({ 'd/a': [good('x'), good('y')] });
    expect(acceptedIn(apply(first, inputOf({ 'd/a': [bad('y')] })))).to.deep.equal({ x: 1, y: 1 });
    const store = apply(first, inputOf({ 'd/a': [good('y', 2), bad(undefined)] }));
    expect(acceptedIn(store)).to.deep.equal({ x: 1, y: 2 });
    expect(store.unidentified).to.equal(1);
  });

  it('removes with the directory entry, but nothing with the directory', () => {
    const first = inputOf({ 'd/a': [good('x')], 'e/b': [good('y')] });
    expect(acceptedIn(apply(first, inputOf({ 'e/b': [good('y')] })))).to.deep.equal({ y: 1 });
    const gone = apply(first, inputOf({ 'e/b': [good('y', 2)] }, ['d']));
    expect(acceptedIn(gone)).to.deep.equal({ x: 1, y: 2 });
    expect(gone.problems.map(({ message }) => message)).to.deep.equal([
      'SourceMissing: does not exist; what it held stays',
    ]);
    const never = apply(inputOf({ 'e/b': [good('y')] }, ['d']));
    expect(never.problems.map(({ message }) => message)).to.deep.equal(['SourceMissing: does not exist']);
  });

  it('follows a document to another file, even if it is broken on the way', () => {
    const first = inputOf({ 'd/a': [good('x'), good('y')] });
    const moved = apply(first, inputOf({ 'd/a': [good('y')], 'd/b': [good('x', 2)] }));
    expect(acceptedIn(moved)).to.deep.equal({ x: 2, y: 1 });
    expect(moved.resources.get('Route/default/x')?.file).to.equal('d/b');
    const broken = apply(first, inputOf({ 'd/a': [good('y')], 'd/b': [bad('x', 2)] }));
    expect(acceptedIn(broken)).to.deep.equal({ x: 1, y: 1 });
  });

  it('of two documents of one name keeps the accepted one, else the first good one, and names both places', () => {
    const fresh = apply(inputOf({ 'd/a': [bad('x')], 'd/b': [good('x', 2)], 'd/c': [good('x', 3)] }));
    expect(acceptedIn(fresh)).to.deep.equal({ x: 2 });
    const later = apply(
      inputOf({ 'd/b': [good('x')] }),
      inputOf({ 'd/a': [good('x', 7)], 'd/b': [good('x')] }),
    );
    expect(acceptedIn(later)).to.deep.equal({ x: 1 });
    expect(later.problems).to.have.length(1);
    expect(later.problems[0]?.at).to.equal('d/a:1:1');
    expect(later.problems[0]?.message).to.contain('d/b:1:1');
    // The owner may go on changing; two new ones in its place are not guessed between.
    const edited = apply(
      inputOf({ 'd/b': [good('x')] }),
      inputOf({ 'd/a': [good('x', 7)], 'd/b': [good('x', 2)] }),
    );
    expect(acceptedIn(edited)).to.deep.equal({ x: 2 });
    const doubled = apply(inputOf({ 'd/b': [good('x')] }), inputOf({ 'd/b': [good('x', 2), good('x', 3)] }));
    expect(acceptedIn(doubled)).to.deep.equal({ x: 1 });
  });

  it('keeps the accepted one while its own file is broken, although another file has the name', () => {
    const store = apply(inputOf({ 'd/b': [good('x')] }), inputOf({ 'd/a': [good('x', 2)], 'd/b': 'broken' }));
    expect(acceptedIn(store)).to.deep.equal({ x: 1 });
  });

  const documents = fc.array(
    fc.record({
      name: fc.option(fc.constantFrom('w', 'x', 'y', 'z'), { nil: undefined, freq: 8 }),
      version: fc.nat(5),
      good: fc.boolean(),
    }),
    { maxLength: 4 },
  );
  const file: fc.Arbitrary<FileSpec> = fc.oneof(
    { weight: 6, arbitrary: documents },
    { weight: 1, arbitrary: fc.constantFrom('unreadable' as const, 'broken' as const, 'restless' as const) },
  );
  const step = fc.record({
    files: fc.dictionary(fc.constantFrom('d/a', 'd/b', 'e/c'), file, { maxKeys: 3 }),
    missing: fc.subarray(['d', 'e'], { maxLength: 1 }),
  });

  it('loses an accepted resource only by the rules, whatever is edited', () => {
    fc.assert(
      fc.property(fc.array(step, { maxLength: 8 }), (steps) => {
        let store: Store = emptyStore;
        for (const { files, missing } of steps) {
          const input = inputOf(files, missing);
          const next = nextStore(store, input);
          const mentioned = new Set(
            input.files.flatMap(({ content }) =>
              content.state === 'read' && content.whole ? content.documents.map(({ key }) => key) : [],
            ),
          );
          for (const [key, before] of store.resources) {
            if (before.accepted === undefined || next.resources.get(key)?.accepted !== undefined) continue;
            expect(mentioned.has(key), `${key} is still somewhere`).to.equal(false);
            expect(missing.includes(before.root), `${key} came from a missing path`).to.equal(false);
            const now = input.files.find(({ path }) => path === before.file);
            if (now === undefined) continue;
            const says = now.content.state === 'read' && now.content.whole ? now.content.documents : [];
            expect(
              says.some(({ resource }) => resource !== undefined),
              'its file holds a valid one',
            ).to.equal(true);
            expect(
              says.every((document) => document.key !== undefined),
              'its file is understood',
            ).to.equal(true);
          }
          store = next;
        }
      }),
      { numRuns: 500 },
    );
  });

  it('accepts every good document whose name is unique, and settles at once', () => {
    fc.assert(
      fc.property(fc.array(step, { maxLength: 5 }), step, (steps, last) => {
        const input = inputOf(last.files, last.missing);
        const store = apply(...steps.map(({ files, missing }) => inputOf(files, missing)), input);
        const all = input.files.flatMap(({ content }) => (content.state === 'read' ? content.documents : []));
        for (const document of all) {
          if (document.resource === undefined || all.filter(({ key }) => key === document.key).length > 1)
            continue;
          const stored = document.key === undefined ? undefined : store.resources.get(document.key);
          // Unless the file that holds the accepted one cannot speak at the moment.
          if (stored?.fallback === 'FileRefused') continue;
          expect(stored?.accepted?.hash).to.equal(document.hash);
        }
        expect(acceptedIn(nextStore(store, input))).to.deep.equal(acceptedIn(store));
      }),
      { numRuns: 500 },
    );
  });

  it('comes by what changed to what it comes to by everything, in the same order', () => {
    const sound = fc.uniqueArray(
      fc.record({ name: fc.constantFrom('w', 'x', 'y', 'z'), version: fc.nat(2) }),
      {
        selector: ({ name }) => name,
      },
    );
    const soundStep = fc.record({ a: sound, b: sound }).map(({ a, b }) => ({
      'd/a': a.map((document) => ({ ...document, good: true })),
      'd/b': b.map(({ name, version }) => ({ name: `b-${name}`, version, good: true })),
    }));
    const edits = fc.oneof(
      { weight: 3, arbitrary: soundStep.map((files) => ({ files, missing: [] as string[] })) },
      { weight: 1, arbitrary: step },
    );
    fc.assert(
      fc.property(fc.array(edits, { maxLength: 8 }), (steps) => {
        let before: StoreInput | undefined;
        let patched: Store = emptyStore;
        let whole: Store = emptyStore;
        for (const { files, missing } of steps) {
          const input = withSameObjects(inputOf(files, missing), before);
          patched = nextStore(patched, input);
          whole = wholeStore(whole, input);
          expect([...patched.resources]).to.deep.equal([...whole.resources]);
          expect({ ...patched, resources: 0 }).to.deep.equal({ ...whole, resources: 0 });
          for (const [key, stored] of whole.resources)
            expect(patched.resources.get(key)?.accepted).to.equal(stored.accepted);
          before = input;
        }
      }),
      { numRuns: 1000 },
    );
  });
});

/** As the parser does: what stays in its place is the same object. */
function withSameObjects(input: StoreInput, before: StoreInput | undefined): StoreInput {
  const files = input.files.map((file) => {
    const old = before?.files.find(({ path }) => path === file.path)?.content;
    if (file.content.state !== 'read' || old?.state !== 'read') return file;
    const documents = file.content.documents.map(
      (document, index) =>
        old.documents.find(
          (each, i) => i === index && each.hash === document.hash && each.at === document.at,
        ) ?? document,
    );
    const isSame =
      documents.length === old.documents.length && documents.every((each, i) => each === old.documents[i]);
    return { ...file, content: { ...file.content, documents: isSame ? old.documents : documents } };
  });
  return { ...input, files };
}
