import { existsSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { pathToFileURL } from 'node:url';
import { expect } from 'chai';
import { parse } from 'yaml';
import { projectRoot } from '../support/program.ts';

interface Step {
  readonly word: string;
  readonly text: string;
  readonly flags: Readonly<Record<string, string>>;
  readonly words: readonly string[];
}

interface Stage {
  readonly base: string;
  readonly name?: string;
  readonly steps: readonly Step[];
}

type ReadDockerfile = (text: string) => readonly Stage[];

describe('Dockerfile', () => {
  let readDockerfile: ReadDockerfile;
  let stages: readonly Stage[];

  before(async () => {
    // What scripts/image-proof.mjs runs is what it reads here: the two cannot drift.
    const { href } = pathToFileURL(join(projectRoot, 'scripts', 'image', 'read-dockerfile.mjs'));
    ({ readDockerfile } = (await import(href)) as { readonly readDockerfile: ReadDockerfile });
    stages = readDockerfile(read('Dockerfile'));
  });

  const final = (word: string): readonly Step[] =>
    (stages.at(-1) as Stage).steps.filter((step) => step.word === word);

  it('ends in an image without a shell or a build, which starts as a numeric user', () => {
    expect(stages).to.have.lengthOf(2);
    expect(stages.at(-1)?.base).to.match(/distroless\/cc/);
    expect(final('RUN')).to.be.empty;
    expect(final('USER').map(({ text }) => text)).to.deep.equal(['65532:65532']);
    for (const { flags } of final('COPY')) expect(flags).to.deep.equal({ from: 'build' });
    for (const word of ['ENTRYPOINT', 'CMD', 'HEALTHCHECK']) {
      expect(final(word), word).to.have.lengthOf(1);
      expect(final(word)[0]?.text, word).to.match(/\["/);
    }
    expect(final('HEALTHCHECK')[0]?.words.at(-1)).to.equal('health');
  });

  it('copies only what .dockerignore lets through', () => {
    const ignore = read('.dockerignore').split('\n');
    expect(ignore).to.include('*');
    const copied = (stages[0] as Stage).steps
      .filter(({ word }) => word === 'COPY')
      .flatMap(({ words }) => words.slice(0, -1));
    expect(copied).not.to.be.empty;
    for (const path of copied) {
      expect(existsSync(join(projectRoot, path)), path).to.be.true;
      expect(ignore, path).to.include(`!${path}`);
    }
  });

  it('says what it cannot prove', () => {
    expect(() => readDockerfile('FROM a\nADD b c')).to.throw(
      'not an instruction that can be proved: ADD b c',
    );
  });

  it('has the version that the package, the chart and the plain deployment have', () => {
    const { version } = JSON.parse(read('package.json')) as { readonly version: string };
    expect(final('ARG').map(({ text }) => text)).to.include(`VERSION=${version}`);
    const chart = parse(read('helm/mgateway/Chart.yaml')) as { readonly appVersion: string };
    expect(chart.appVersion).to.equal(version);
    expect(imageOfManifests()).to.include({ newTag: version });
  });

  it('is called the same in the chart and in the plain deployment', () => {
    const { image } = parse(read('helm/mgateway/values.yaml')) as {
      readonly image: { readonly registry: string; readonly repository: string };
    };
    expect(imageOfManifests()).to.include({
      name: 'mgateway',
      newName: `${image.registry}/${image.repository}`,
    });
    expect(read('manifests/deployment.yaml')).to.match(/^ +image: mgateway$/m);
  });
});

function imageOfManifests(): unknown {
  const { images } = parse(read('manifests/kustomization.yaml')) as { readonly images: readonly unknown[] };
  expect(images).to.have.lengthOf(1);
  return images[0];
}

function read(path: string): string {
  return readFileSync(join(projectRoot, path), 'utf8');
}
