/** `gatewright status`: what every object would say of itself in a cluster, in words. */
import type { Command } from 'commander';
import { type ObjectRef, refKey } from '../gateway-runtime/api/object.ts';
import { isRouteKind, ROUTE_KINDS } from '../gateway-runtime/api/route-kinds.ts';
import { formatSourceProblem, type SourcedObject } from '../gateway-runtime/control/source.ts';
import type { Diagnostic } from '../gateway-runtime/snapshot/diagnostic.ts';
import type { ObjectStatus, Translation } from '../gateway-runtime/translate/translation.ts';
import { appTimeoutOption } from './app/app-timeout.ts';
import { readOnce } from './read-once.ts';
import { isRefused, statusText } from './show/conditions.ts';
import { counted, EXIT, print } from './terminal.ts';

/** The order in which people build: the class, the gateway, what is attached. */
const KINDS = ['GatewayClass', 'Gateway', 'ListenerSet', ...ROUTE_KINDS];

export function define(command: Command): void {
  command
    .argument('<path...>', 'manifests, folders of them, and cdk8s apps')
    .option('--class <name...>', 'only Gateways of these classes (default: of any)')
    .option('--strict', 'take Secrets that are missing here as missing')
    .addOption(appTimeoutOption())
    .option('--json', 'for machines')
    .addHelpText('after', EXAMPLES)
    .action(status);
}

const EXAMPLES = `
Examples:
  gatewright status manifests/
  gatewright status app.ts --json

Exit code 1 where something was refused: an object, a listener, a route. With
--json, what is wrong with the files is part of the JSON (problems), and not on
standard error.`;

/** One of `objects` of the JSON form. */
interface ObjectReport extends ObjectRef {
  /** File and document, or app and construct path. */
  readonly origin: string | undefined;
  /** As it would be in a cluster; without conditions and parents where no Gateway has an opinion on the object. */
  readonly status: Omit<ObjectStatus, 'ref'>;
  /** What the conditions say and more, for programs: code, field, fix, other objects, an example request. */
  readonly diagnostics: readonly Omit<Diagnostic, 'object'>[];
}

async function status(
  paths: string[],
  flags: { class?: string[]; strict?: true; appTimeout: number; json?: true },
): Promise<void> {
  const { translation, problems, assumed, objects, originOf } = await readOnce(paths, {
    classes: flags.class,
    strict: flags.strict ?? false,
    assumesServices: false,
    appTimeout: flags.appTimeout,
    tells: !flags.json,
  });
  const statuses = [...translation.statuses.values(), ...parentless(objects, translation)].sort(
    (a, b) => KINDS.indexOf(a.kind) - KINDS.indexOf(b.kind) || (refKey(a.ref) < refKey(b.ref) ? -1 : 1),
  );
  const refused = statuses.filter((each) => isRefused(each));
  const diagnostics = Map.groupBy(translation.diagnostics, ({ object }) => refKey(object));
  const errors = problems.filter(({ severity }) => severity === 'error').length;
  const said = (ref: ObjectRef) => diagnostics.get(refKey(ref)) ?? [];
  if (flags.json) {
    const all = statuses.map(
      ({ ref, ...rest }): ObjectReport => ({
        ...ref,
        origin: originOf(ref),
        status: rest,
        diagnostics: said(ref).map(({ object: _, ...each }) => each),
      }),
    );
    const rest = { assumed: assumed.map(refKey), problems: problems.map(formatSourceProblem) };
    print(JSON.stringify({ objects: all, ...rest }, undefined, 2));
  } else {
    for (const each of statuses) print(statusText(each, originOf(each.ref), said(each.ref)).join('\n'));
    print(`\n${counted(statuses.length, 'object')}${verdict(refused.length, errors)}.`);
  }
  if (refused.length > 0 || errors > 0) process.exitCode = EXIT.no;
}

/** Of what is shown, and of what could not be read and so is not. */
function verdict(refused: number, errors: number): string {
  if (refused === 0 && errors === 0) return ', nothing is refused';
  return `${refused > 0 ? `, ${refused} with something refused` : ''}${errors > 0 ? `, and ${counted(errors, 'error')} above` : ''}`;
}

/** Routes and ListenerSets that no Gateway has an opinion on: in a cluster they would have no status at all. */
function parentless(objects: readonly SourcedObject[], { statuses }: Translation): ObjectStatus[] {
  return objects
    .filter(({ ref }) => !statuses.has(refKey(ref)))
    .flatMap(({ ref }): ObjectStatus[] => {
      if (isRouteKind(ref.kind)) return [{ kind: ref.kind, ref, parents: [] }];
      if (ref.kind === 'ListenerSet') return [{ kind: 'ListenerSet', ref, conditions: [], listeners: [] }];
      return [];
    });
}
