import { expect } from 'chai';
import { frozenFiles, frozenMounts } from '../../../src/controller/source/frozen-mounts.ts';
import type { ListedRoot } from '../../../src/controller/source/list-root.ts';

const pod = '/var/lib/kubelet/pods/0b1c/volumes/kubernetes.io~configmap/config';
const version = '..2026_11_23_07_28_45.3141592653';

/** A line of /proc/self/mountinfo. */
const line = (root: string, point: string): string =>
  `1021 998 254:1 ${root} ${point} ro,relatime - ext4 /dev/vda1 rw`;

function listed(root: string, targets: readonly string[], real = root): ListedRoot {
  const files = targets.map((target) => {
    const relative = target.slice(target.lastIndexOf('/') + 1);
    const path = target === real ? root : `${root}/${relative}`;
    return { path, relative, target, stamp: '1', changedAt: 0, swapped: target.includes('/..') };
  });
  return { root, resolved: [real, ''], files, remarks: [], watch: new Map() };
}

describe('frozenMounts', () => {
  const rootMount = line('/', '/');

  it('says nothing about a volume that is mounted whole, and nothing where there is no mount table', () => {
    const mounted = [rootMount, line(pod, '/etc/mgateway')].join('\n');
    const root = listed('/etc/mgateway', [`/etc/mgateway/${version}/a.yaml`, '/etc/mgateway/b.yaml']);
    expect(frozenMounts([root], mounted)).to.deep.equal([]);
    expect(frozenMounts([root], '')).to.deep.equal([]);
  });

  it('names each file that is a mount of its own, before and after the kubelet removed what it shows', () => {
    const mounts = [
      rootMount,
      line(`${pod}/${version}/a.yaml`, '/etc/mgateway/a.yaml'),
      line(`/${version}/b.yaml//deleted`, '/etc/mgateway/b.yaml'),
      line('/home/me/c\\040c.yaml', '/etc/mgateway/c\\040c.yaml'),
    ].join('\n');
    const files = ['a', 'b', 'c c', 'd'].map((name) => `/etc/mgateway/${name}.yaml`);
    const remarks = frozenMounts([listed('/etc/mgateway', files)], mounts);
    expect(remarks.map(({ path, message }) => `${path} ${message.split(' (')[0] ?? ''}`)).to.deep.equal([
      '/etc/mgateway/a.yaml is mounted by `subPath`: updates that replace it are never seen here; mount the whole directory instead',
      '/etc/mgateway/b.yaml is mounted by `subPath`: updates that replace it are never seen here; mount the whole directory instead',
      '/etc/mgateway/c c.yaml is a mount of its own',
    ]);
  });

  it('names a file given itself once, and a directory that is or lies in one version of a volume', () => {
    const mounts = [
      rootMount,
      line(`${pod}/${version}/a.yaml`, '/etc/one.yaml'),
      line(`${pod}/${version}/routes`, '/etc/routes'),
    ].join('\n');
    const remarks = frozenMounts(
      [
        listed('/etc/one.yaml', ['/etc/one.yaml']),
        listed('/etc/routes', ['/etc/routes/a.yaml']),
        listed('/config', ['/etc/routes/deep/a.yaml'], '/etc/routes/deep'),
      ],
      mounts,
    );
    expect(remarks.map(({ path }) => path)).to.deep.equal(['/etc/one.yaml', '/etc/routes', '/config']);
  });
});

describe('frozenFiles', () => {
  it('names single files that are a mount of their own, or lie in one version of a volume', () => {
    const mounts = [
      line('/', '/'),
      line(pod, '/etc/whole'),
      line(`${pod}/${version}/hmac`, '/etc/one/hmac'),
      line(`${pod}/${version}/keys`, '/etc/keys'),
      line('/home/me/jwks.json', '/etc/given/jwks.json'),
    ].join('\n');
    const paths = [
      '/etc/whole/hmac',
      '/etc/one/hmac',
      '/etc/keys/deep/hmac',
      '/etc/given/jwks.json',
      '/etc/plain',
    ];
    const frozen = [...frozenFiles(paths, mounts)].map(
      ([path, why]) => `${path} ${why.split(/[:(]/)[0] ?? ''}`,
    );
    expect(frozen).to.deep.equal([
      '/etc/one/hmac is mounted by `subPath`',
      '/etc/keys/deep/hmac is mounted by `subPath`',
      '/etc/given/jwks.json is a mount of its own ',
    ]);
    expect(frozenFiles(paths, '')).to.be.empty;
  });
});
