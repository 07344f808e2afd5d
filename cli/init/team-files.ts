/** The repository of a team: the example, on what this team was granted. */
import { existsSync, readFileSync } from 'node:fs';
import { parseAllDocuments } from 'yaml';
import { type ExportedGrants, grantsModule } from '../../constructs/export-grants.ts';
import { type GrantData, importGrant } from '../../constructs/import-grant.ts';
import { CommandError } from '../terminal.ts';
import type { PackageSource } from './package-source.ts';
import { example, repositoryFiles } from './repository-files.ts';

const FILES = ['app.ts', 'preview.ts', 'app.test.ts', 'README.md'];

/** Throws a CommandError where the grants can't be used. */
export function teamFiles(folder: string, source: PackageSource, grantsFile: string): Map<string, string> {
  const base = grantsFile.replace(/\.(m?ts|json|yaml)$/, '');
  const exported = exportedGrants(grantsFile, `${base}.json`);
  const objects = read(grantsFile, `${base}.yaml`);
  const { team } = exported;
  const [name, grant] = firstOfRoutes(grantsFile, exported);
  const own = replacements(team.name, name, grant, urlOf(grant, objects));
  return new Map([
    ...FILES.map((file) => [file, replaced(example(`team-shop/${file}`), own)] as const),
    [`grants/${team.name}.ts`, moduleText(base, exported)],
    [`grants/${team.name}.json`, `${JSON.stringify(exported, undefined, 2)}\n`],
    [`grants/${team.name}.yaml`, objects],
    ...repositoryFiles(folder, source, { app: 'app.ts', preview: 'preview.ts' }),
  ]);
}

/** The module that the platform wrote, where it is there; it is the same as the JSON. */
const moduleText = (base: string, exported: ExportedGrants) =>
  existsSync(`${base}.ts`) ? readFileSync(`${base}.ts`, 'utf8') : grantsModule(exported);

function read(grantsFile: string, file: string): string {
  try {
    return readFileSync(file, 'utf8');
  } catch {
    throw new CommandError(
      `error --grants ${grantsFile}: there is no ${file}. Fix: have the platform write it, npm run grants, and take the files that it writes together.`,
    );
  }
}

function exportedGrants(grantsFile: string, file: string): ExportedGrants {
  const text = read(grantsFile, file);
  try {
    const exported = JSON.parse(text) as ExportedGrants;
    if (typeof exported?.team?.name !== 'string') throw new Error('found no team.name');
    if (typeof exported.grants !== 'object' || exported.grants === null) throw new Error('found no grants');
    for (const each of Object.values(exported.grants)) importGrant(each);
    return exported;
  } catch (error) {
    throw new CommandError(
      `error --grants ${grantsFile}: ${file} is not what the platform exports: ${(error as Error).message}. Fix: have the platform write it, npm run grants.`,
    );
  }
}

function firstOfRoutes(grantsFile: string, { team, grants }: ExportedGrants): [string, GrantData] {
  const found = Object.entries(grants).find(
    ([, { kinds, hostnames }]) => kinds.includes('HTTPRoute') && hostnames.length > 0,
  );
  if (found) return found;
  throw new CommandError(
    `error --grants ${grantsFile}: team ${team.name} has no grant for HTTPRoutes, which is what the example is of. Fix: write a chart with the kinds that were granted.`,
  );
}

/** Scheme, host and port of a URL that the grant is for; plain HTTP where there is a choice. */
function urlOf({ places }: GrantData, objects: string): { readonly origin: string; readonly host: string } {
  const listeners = parseAllDocuments(objects)
    .map(
      (each) =>
        each.toJS() as { kind?: string; metadata?: { name?: string }; spec?: { listeners?: Listener[] } },
    )
    .flatMap(({ kind, metadata, spec }) =>
      (spec?.listeners ?? []).map((each) => ({ key: `${kind} ${metadata?.name} ${each.name}`, ...each })),
    );
  const own = places.flatMap(({ kind, name, sectionName, hostname = '*' }) =>
    listeners
      .filter(({ key }) => key === `${kind} ${name} ${sectionName}`)
      .map(({ port, protocol }) => ({ port, protocol, hostname })),
  );
  const [first] = own.sort((a, b) => rank(a) - rank(b));
  const host = (first?.hostname ?? places[0]?.hostname ?? '*.example.com')
    .replace(/^\*\./, 'www.')
    .replace(/^\*$/, 'www.example.com');
  const isPlain = first?.protocol !== 'HTTPS';
  const port = first && first.port !== (isPlain ? 80 : 443) ? `:${first.port}` : '';
  return { host, origin: `${isPlain ? 'http' : 'https'}://${host}${port}` };
}

interface Listener {
  readonly name: string;
  readonly port: number;
  readonly protocol: string;
}

/** A hostname before a wildcard, HTTP before HTTPS. */
const rank = ({ protocol, hostname }: { protocol: string; hostname: string }) =>
  (hostname.startsWith('*') ? 2 : 0) + (protocol === 'HTTP' ? 0 : 1);

/** What the example says of shop, as it is for this team. */
function replacements(
  team: string,
  name: string,
  { paths }: GrantData,
  { origin, host }: ReturnType<typeof urlOf>,
): ReadonlyMap<string, string> {
  const path = paths[0] === '/' ? '' : (paths[0] ?? '');
  return new Map([
    ['http://shop.example.com/cart', `${origin}${path}/cart`],
    ['http://shop.example.com/', `${origin}${path}/`],
    ["'shop.example.com'", JSON.stringify(host).replaceAll('"', "'")],
    ["prefix('/cart')", `prefix('${path}/cart')`],
    ["prefix('/')", `prefix('${path || '/'}')`],
    ['grants.shop', /^[A-Za-z_]\w*$/.test(name) ? `grants.${name}` : `grants['${name}']`],
    ['grants/shop.', `grants/${team}.`],
    ["'shop/", `'${team}/`],
    ["'shop'", `'${team}'`],
    ['team shop', `team ${team}`],
    ['Team shop', `Team ${team}`],
  ]);
}

/** All at once, so that nothing is replaced that another one brought. */
function replaced(text: string, by: ReadonlyMap<string, string>): string {
  const words = [...by.keys()]
    .sort((a, b) => b.length - a.length)
    .map((each) => each.replaceAll(/[.()]/g, '\\$&'));
  return text.replace(new RegExp(words.join('|'), 'g'), (word) => by.get(word)!);
}
