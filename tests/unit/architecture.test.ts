/** The invariants of ARCHITECTURE.md that can be read off the import lines and the files themselves. */
import { readdirSync, readFileSync } from 'node:fs';
import { dirname, join, normalize, relative } from 'node:path';
import { fileURLToPath } from 'node:url';
import { describe, expect, it } from '@jest/globals';

const root = join(dirname(fileURLToPath(import.meta.url)), '..', '..');

function typescript(folder: string): string[] {
  return readdirSync(join(root, folder), { recursive: true, withFileTypes: true })
    .filter((entry) => entry.isFile() && entry.name.endsWith('.ts'))
    .map((entry) => relative(root, join(entry.parentPath, entry.name)))
    .filter((file) => !file.includes('node_modules'));
}

const sources = (folder: string) => typescript(folder).filter((file) => !file.endsWith('.test.ts'));

interface Import {
  file: string;
  /** Path from the root for a relative import, else the specifier. */
  target: string;
  typeOnly: boolean;
}

function importsOf(file: string): Import[] {
  const text = readFileSync(join(root, file), 'utf8');
  return [
    ...text.matchAll(/^\s*(import|export)(\s+type)?\s[^;'"]*?from\s+'([^']+)'|\bimport\('([^']+)'\)/gm),
  ].map((found) => {
    const specifier = (found[3] ?? found[4])!;
    const target = specifier.startsWith('.') ? normalize(join(dirname(file), specifier)) : specifier;
    return { file, target, typeOnly: found[2] !== undefined };
  });
}

const RUNTIME = 'gateway-runtime/';
const layer = (path: string) => (path.startsWith(RUNTIME) ? path.split('/')[1]! : path.split('/')[0]!);

/** Which layers a layer may import from, itself aside. */
const MAY_IMPORT: Record<string, readonly string[]> = {
  api: [],
  snapshot: ['api'],
  match: ['snapshot', 'api'],
  filters: ['match', 'snapshot', 'api'],
  grants: ['match', 'snapshot', 'api'],
  translate: ['grants', 'filters', 'match', 'snapshot', 'api'],
  explain: ['filters', 'match', 'snapshot', 'api'],
  diff: ['explain', 'filters', 'match', 'snapshot', 'api'],
  replay: ['diff', 'proxy', 'match', 'snapshot', 'api'],
  preview: ['control', 'diff', 'regex', 'translate', 'grants', 'match', 'snapshot', 'api'],
  regex: ['match'],
  proxy: ['filters', 'match', 'snapshot', 'api'],
  admin: ['explain', 'proxy', 'filters', 'match', 'snapshot', 'api'],
  echo: ['match', 'snapshot', 'api'],
  distribution: ['snapshot', 'api'],
  workers: ['distribution', 'proxy', 'match', 'snapshot', 'api'],
  'data-plane': ['workers', 'distribution', 'admin', 'proxy', 'regex', 'match', 'snapshot', 'api'],
  'control-plane': [
    'control',
    'distribution',
    'admin',
    'regex',
    'translate',
    'filters',
    'match',
    'snapshot',
    'api',
  ],
  control: [
    'workers',
    'distribution',
    'admin',
    'echo',
    'explain',
    'proxy',
    'regex',
    'translate',
    'filters',
    'match',
    'snapshot',
    'api',
  ],
};
const PURE = ['api', 'snapshot', 'match', 'filters', 'grants', 'translate', 'explain', 'diff'];

const runtimeImports = sources('gateway-runtime')
  .filter((file) => file !== 'gateway-runtime/index.ts')
  .flatMap(importsOf);

describe('imports go one way', () => {
  it('knows every folder of the runtime', () => {
    const folders = new Set(
      sources('gateway-runtime')
        .map(layer)
        .filter((name) => !name.endsWith('.ts')),
    );
    expect([...folders].filter((name) => !(name in MAY_IMPORT))).toEqual([]);
  });

  it('between the layers of the runtime', () => {
    const wrong = runtimeImports.filter(({ file, target }) => {
      if (!target.startsWith(RUNTIME))
        return ['constructs/', 'cli/', 'infra/', 'jest/', 'pulumi/'].some((folder) =>
          target.startsWith(folder),
        );
      return layer(file) !== layer(target) && !MAY_IMPORT[layer(file)]!.includes(layer(target));
    });
    expect(wrong).toEqual([]);
  });

  it('and the pure layers import no package and no Node module but the hash', () => {
    const wrong = runtimeImports.filter(
      ({ file, target }) =>
        PURE.includes(layer(file)) &&
        !target.startsWith(RUNTIME) &&
        !(target === 'node:crypto' && file === 'gateway-runtime/snapshot/canonical.ts'),
    );
    expect(wrong).toEqual([]);
  });

  it('and the process of a data plane loads neither control nor translate, and of packages only two', () => {
    const loaded = new Set<string>();
    const load = (file: string) => {
      if (loaded.has(file)) return;
      loaded.add(file);
      if (!file.startsWith(RUNTIME)) return;
      for (const { target, typeOnly } of importsOf(file)) if (!typeOnly) load(target);
    };
    load('gateway-runtime/data-plane/main.ts');
    const outside = [...loaded].filter((each) => !each.startsWith(RUNTIME) && !each.startsWith('node:'));
    expect(outside.sort()).toEqual(['prom-client', 're2js']);
    const layers = new Set([...loaded].filter((each) => each.startsWith(RUNTIME)).map(layer));
    expect(layers).toContain('proxy');
    expect([...layers].filter((each) => ['control', 'control-plane', 'translate'].includes(each))).toEqual(
      [],
    );
  });

  it('and constructs import only what needs no input or output', () => {
    const allowed = [...PURE, 'regex'];
    const wrong = sources('constructs')
      .flatMap(importsOf)
      .filter(({ target }) => target.startsWith(RUNTIME) && !allowed.includes(layer(target)));
    expect(wrong).toEqual([]);
  });
});

describe('files', () => {
  const files = ['constructs', 'gateway-runtime', 'cli', 'jest', 'pulumi', 'infra', 'examples'].flatMap(
    sources,
  );
  const linesOf = (file: string) => readFileSync(join(root, file), 'utf8').split('\n').length;

  it('stay under 500 lines, those of tests and scripts too', () => {
    const long = [...files, ...['tests', 'scripts'].flatMap(typescript)].filter(
      (file) => linesOf(file) > 500,
    );
    expect(long).toEqual([]);
  });

  it('have a median of at most 150 lines', () => {
    const sorted = files.map(linesOf).sort((a, b) => a - b);
    expect(sorted[Math.floor(sorted.length / 2)]).toBeLessThanOrEqual(150);
  });
});
