/** The container image: what is in it, that it is the same each time, and that the Dockerfile would make it so too. */
import { execFileSync } from 'node:child_process';
import { mkdirSync, mkdtempSync, readdirSync, readFileSync, rmSync, statSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join, resolve } from 'node:path';
import { gzipSync } from 'node:zlib';
import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { bundleOf } from '../../scripts/image/bundles.ts';
import { archiveOf, type Image, runConfiguration } from '../../scripts/image/image.ts';
import { runtimeImage } from '../../scripts/image/runtime-image.ts';
import { tarOf } from '../../scripts/image/tar.ts';
import { type Entry, treeOf } from '../../scripts/image/tree.ts';

const REFERENCE = 'gatewright.test/runtime:test';
const MOST_BYTES = 150 * 1000 * 1000;

let folder = '';
let image: Image;
let tree: readonly Entry[];

/** The image is of the machine that assembles it, and runs on Linux. */
const onLinux = process.platform === 'linux' ? describe : describe.skip;

beforeAll(async () => {
  if (process.platform !== 'linux') return;
  folder = mkdtempSync(join(tmpdir(), 'gatewright-image-'));
  image = await runtimeImage(REFERENCE);
  tree = treeOf(image.files);
}, 60_000);

afterAll(() => {
  if (folder) rmSync(folder, { recursive: true, force: true });
});

const mode = (path: string) => (statSync(path).mode & 0o7777).toString(8);

/** Paths in the image, folders left out. */
const files = () => tree.map(({ path }) => path).filter((path) => !path.endsWith('/'));

onLinux('the image', () => {
  it('holds both programs, Node, its libraries and users, and nothing else', () => {
    const named = files().filter((path) => !/^lib(64)?\/|^usr\/lib/.test(path));
    expect(named).toEqual([
      'etc/group',
      'etc/passwd',
      'gatewright/control-plane.js',
      'gatewright/data-plane.js',
      'gatewright/licenses.txt',
      'gatewright/package.json',
      'usr/local/bin/node',
    ]);
  });

  it('is under 150 MB, compressed', () => {
    const bytes = gzipSync(Buffer.concat(tarOf(tree)), { level: 6 }).length;
    // More than Node can be squeezed to: the measure is of something.
    expect(bytes).toBeGreaterThan(20 * 1000 * 1000);
    expect(bytes).toBeLessThan(MOST_BYTES);
  }, 60_000);

  it('is the same bytes, made again', async () => {
    const again = archiveOf(await runtimeImage(REFERENCE));
    expect(Buffer.concat(again).equals(Buffer.concat(archiveOf(image)))).toBe(true);
  });

  it.each(['control-plane', 'data-plane'])('runs the %s, from its own files alone', (program) => {
    const root = join(folder, program);
    mkdirSync(root);
    execFileSync('tar', ['-xf', '-', '-C', root], { input: Buffer.concat(tarOf(tree)) });
    const node = join(root, 'usr/local/bin/node');
    const usage = execFileSync(node, [join(root, `gatewright/${program}.js`), '--help'], {
      encoding: 'utf8',
    });
    expect(usage).toContain('GATEWRIGHT_');
  });

  it('gives a data plane neither the Kubernetes client, nor translation, nor packages but two', async () => {
    const { inputs, text } = await bundleOf('data-plane');
    expect(inputs).toContain('gateway-runtime/data-plane/main.ts');
    expect(
      inputs.filter((file) => /^gateway-runtime\/(control|control-plane|translate)\//.test(file)),
    ).toEqual([]);
    const packages = inputs.flatMap((file) => /^node_modules\/((?:@[^/]+\/)?[^/]+)/.exec(file)?.[1] ?? []);
    // The last two are what prom-client brings along.
    expect([...new Set(packages)]).toEqual([
      '@opentelemetry/api',
      'bintrees',
      'prom-client',
      're2js',
      'tdigest',
    ]);
    expect(text).not.toContain('/apis/gateway.networking.k8s.io');
  });

  it('holds the control plane of the same sources', async () => {
    const { inputs } = await bundleOf('control-plane');
    expect(inputs).toContain('gateway-runtime/control/cluster.ts');
  });
});

/** Instructions of the last stage, which is the image: what comes after its FROM. */
function lastStage(): Map<string, string> {
  const stages = readFileSync(resolve('Dockerfile'), 'utf8').split(/^FROM /m);
  const lines = stages.at(-1)!.split('\n').slice(1).filter(Boolean);
  return new Map(lines.map((line) => [line.replace(/ .*/, ''), line.replace(/^\S+ /, '')]));
}

onLinux('the Dockerfile', () => {
  it('runs the image as the archive says', () => {
    const stage = lastStage();
    expect({
      User: stage.get('USER'),
      Entrypoint: JSON.parse(stage.get('ENTRYPOINT')!) as unknown,
      Env: [stage.get('ENV')],
      WorkingDir: stage.get('WORKDIR'),
    }).toEqual(runConfiguration(image));
  });

  it('copies what its script writes, file by file as in the archive, and builds with the same Node', () => {
    const text = readFileSync(resolve('Dockerfile'), 'utf8');
    const script = /^RUN (node scripts\/image\/main\.ts --folder) (\/image)$/m.exec(text)!;
    expect(lastStage().get('COPY')).toBe(`--from=build ${script[2]}/ /`);
    const { version } = JSON.parse(readFileSync(resolve('node_modules/node/package.json'), 'utf8')) as {
      version: string;
    };
    expect(text).toContain(`FROM node:${version}-`);
    const target = join(folder, 'by-the-dockerfile');
    const [, ...args] = script[1]!.split(' ');
    execFileSync(process.execPath, [...args, target]);
    const written = readdirSync(target, { recursive: true, withFileTypes: true }).map((entry) => {
      const path = join(entry.parentPath, entry.name);
      return [`${path.slice(target.length + 1)}${entry.isDirectory() ? '/' : ''}`, mode(path)];
    });
    expect(written.sort()).toEqual(tree.map((entry) => [entry.path, entry.mode.toString(8)]).sort());
    for (const { path, content } of tree) {
      if (!path.endsWith('/')) expect(readFileSync(join(target, path)).equals(content)).toBe(true);
    }
  });
});
