/** Writes what a team was granted for the repository of the team: a module with types, the same as JSON, and the objects as YAML. */
import { mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import { basename, dirname } from 'node:path';
import { Yaml } from 'cdk8s';
import type { IConstruct } from 'constructs';
import type { RawObject } from '../gateway-runtime/api/object.ts';
import { objectsOf } from './app-objects.ts';
import type { Attachment } from './attachment.ts';
import { grantedObjects } from './granted-objects.ts';
import { policiesOf } from './granted-policies.ts';
import type { GrantData } from './import-grant.ts';
import { ATTACHMENTS, type SynthHooks } from './synth-hooks.ts';

/** Of all grants below a construct those of one team, each by a name. */
export function grantsOf(
  scope: IConstruct,
  team: string,
  objects: readonly RawObject[],
): Map<string, GrantData> {
  const attachments = scope.node
    .findAll()
    .flatMap((construct) => (construct as SynthHooks)[ATTACHMENTS]?.() ?? [])
    .filter((each) => each.team?.name === team);
  const named = attachments.map((each) => ({ path: each.title.split(' ').at(-1)!.split('/'), each }));
  const last = named.map(({ path }) => path.at(-1)!);
  return new Map(
    named.map(({ path, each }, index) => {
      const isAlone = last.indexOf(last[index]!) === last.lastIndexOf(last[index]!);
      return [isAlone ? last[index]! : path.slice(1).join('/'), dataOf(each, objects)];
    }),
  );
}

function dataOf(attachment: Attachment, objects: readonly RawObject[]): GrantData {
  const { team, gatewayName, title, hostnames, kinds, listeners, paths, wholeObject } = attachment;
  const { ownCertificates, ownListeners } = attachment;
  const delegated = attachment.delegations().map(({ path, hostnames: at, team: to }) => ({
    path,
    hostnames: [...at],
    team: { name: to.name, namespace: to.namespace },
  }));
  const places = attachment.places().map((place) => ({ ...place }));
  const policies = policiesOf(objects, { gateway: gatewayName, places });
  return {
    team: { name: team!.name, namespace: team!.namespace },
    gateway: gatewayName,
    title,
    hostnames: [...hostnames],
    kinds: [...kinds],
    listeners: [...listeners],
    paths: [...paths],
    // Early, since editors show the beginning of the type.
    ...(policies.length > 0 ? { policies } : {}),
    ...(ownListeners.length > 0
      ? { ownCertificates: [...ownCertificates], ownListeners: ownListeners.map((each) => ({ ...each })) }
      : {}),
    ...(delegated.length > 0 ? { delegated } : {}),
    wholeObject,
    places,
  };
}

/**
 * Writes `file`, a module, and beside it the same as JSON and the objects that routes attach to as YAML; nothing that is there already as it
 * would be. Throws an Error where there are no grants, or where something is wrong with those there are.
 */
export function exportGrants(
  scope: IConstruct,
  file: string,
  team = basename(file).replace(/\.m?ts$/, ''),
): void {
  if (!/\.m?ts$/.test(file))
    throw new Error(`exportGrants() takes the name of a module, such as 'grants/shop.ts', this is ${file}`);
  requireValid(scope, file);
  const all = objectsOf(scope.node.root).map(({ object }) => object);
  const grants = grantsOf(scope, team, all);
  if (grants.size === 0)
    throw new Error(
      `${scope.node.path}: exportGrants('${file}') found no grants of team ${team}: grant first, or name the team, exportGrants('${file}', team)`,
    );
  const ref = [...grants.values()][0]!.team;
  mkdirSync(dirname(file), { recursive: true });
  const exported = { team: ref, grants: Object.fromEntries(grants) };
  const objects = grantedObjects(all, [...grants.values()]);
  const beside = (extension: string) => file.replace(/\.m?ts$/, extension);
  writeChanged(file, grantsModule(exported, scope.node.path));
  writeChanged(beside('.json'), `${JSON.stringify(exported, undefined, 2)}\n`);
  writeChanged(
    beside('.yaml'),
    `# What routes of team ${ref.name} attach to, for its tests and previews. The platform applies it, nobody else does.\n${Yaml.stringify(...objects)}`,
  );
}

/** What synth would refuse is given to no team. */
function requireValid(scope: IConstruct, file: string): void {
  const problems = scope.node
    .findAll()
    .flatMap((construct) => construct.node.validate().map((message) => `${construct.node.path}: ${message}`));
  if (problems.length > 0)
    throw new Error(
      `exportGrants('${file}') writes nothing, since synth would refuse this: ${problems.join('; ')}`,
    );
}

/** What the JSON has. */
export interface ExportedGrants {
  readonly team: GrantData['team'];
  readonly grants: Readonly<Record<string, GrantData>>;
}

/** The module, as text. */
export function grantsModule({ team, grants }: ExportedGrants, from?: string): string {
  const entries = Object.entries(grants).map(
    ([name, data]) => `  ${JSON.stringify(name)}: importGrant(${indented(data)}),\n`,
  );
  const writer =
    from === undefined
      ? 'Made of the JSON that the platform exports'
      : `Written by chart ${from} of the platform`;
  return (
    `/** What team ${team.name} was granted. ${writer}; edits are lost. */\n` +
    `import { importGrant } from 'gatewright';\n\n` +
    `export const team = ${JSON.stringify(team)} as const;\n\n` +
    `export const grants = {\n${entries.join('')}};\n`
  );
}

const indented = (data: GrantData) => JSON.stringify(data, undefined, 2).replaceAll('\n', '\n  ');

/** Whoever follows the file shall not be woken by what says the same. */
function writeChanged(file: string, text: string): void {
  try {
    if (readFileSync(file, 'utf8') === text) return;
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code !== 'ENOENT') throw error;
  }
  writeFileSync(file, text);
}
