/** Writes what a team was granted for the repository of the team: a module with types, and the same as JSON. */
import { mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import { basename, dirname } from 'node:path';
import type { IConstruct } from 'constructs';
import type { Attachment } from './attachment.ts';
import type { GrantData } from './import-grant.ts';
import { ATTACHMENTS, type SynthHooks } from './synth-hooks.ts';

/** Of all grants below a construct those of one team, each by a name. */
export function grantsOf(scope: IConstruct, team: string): Map<string, GrantData> {
  const attachments = scope.node
    .findAll()
    .flatMap((construct) => (construct as SynthHooks)[ATTACHMENTS]?.() ?? [])
    .filter((each) => each.team?.name === team);
  const named = attachments.map((each) => ({ path: each.title.split(' ').at(-1)!.split('/'), each }));
  const last = named.map(({ path }) => path.at(-1)!);
  return new Map(
    named.map(({ path, each }, index) => {
      const isAlone = last.indexOf(last[index]!) === last.lastIndexOf(last[index]!);
      return [isAlone ? last[index]! : path.slice(1).join('/'), dataOf(each)];
    }),
  );
}

function dataOf(attachment: Attachment): GrantData {
  const { team, gatewayName, title, hostnames, kinds, listeners, paths, wholeObject } = attachment;
  const delegated = attachment.delegations().map(({ path, hostnames: at, team: to }) => ({
    path,
    hostnames: [...at],
    team: { name: to.name, namespace: to.namespace },
  }));
  return {
    team: { name: team!.name, namespace: team!.namespace },
    gateway: gatewayName,
    title,
    hostnames: [...hostnames],
    kinds: [...kinds],
    listeners: [...listeners],
    paths: [...paths],
    ...(delegated.length > 0 ? { delegated } : {}),
    wholeObject,
    places: attachment.places().map((place) => ({ ...place })),
  };
}

/** Writes `file`, a module, and beside it the same as JSON; nothing that is there already as it would be. Throws an Error where there are no grants. */
export function exportGrants(
  scope: IConstruct,
  file: string,
  team = basename(file).replace(/\.m?ts$/, ''),
): void {
  if (!/\.m?ts$/.test(file))
    throw new Error(`exportGrants() takes the name of a module, such as 'grants/shop.ts', this is ${file}`);
  const grants = grantsOf(scope, team);
  if (grants.size === 0)
    throw new Error(
      `${scope.node.path}: exportGrants('${file}') found no grants of team ${team}: grant first, or name the team, exportGrants('${file}', team)`,
    );
  const ref = [...grants.values()][0]!.team;
  mkdirSync(dirname(file), { recursive: true });
  writeChanged(file, moduleText(scope.node.path, ref, grants));
  writeChanged(
    file.replace(/\.m?ts$/, '.json'),
    `${JSON.stringify({ team: ref, grants: Object.fromEntries(grants) }, undefined, 2)}\n`,
  );
}

function moduleText(from: string, team: GrantData['team'], grants: ReadonlyMap<string, GrantData>): string {
  const entries = [...grants].map(
    ([name, data]) => `  ${JSON.stringify(name)}: importGrant(${indented(data)}),\n`,
  );
  return (
    `/** What team ${team.name} was granted. Written by chart ${from} of the platform; edits are lost. */\n` +
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
