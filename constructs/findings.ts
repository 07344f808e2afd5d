/** What the objects of an app mean together, and what is wrong with that, by construct path. */
import type { IConstruct } from 'constructs';
import { refOf } from '../gateway-runtime/api/kinds.ts';
import { type ObjectRef, type RawObject, refKey } from '../gateway-runtime/api/object.ts';
import { exampleOf, type Shadow, shadows } from '../gateway-runtime/match/shadowing.ts';
import { re2 } from '../gateway-runtime/regex/re2.ts';
import { type Diagnostic, formatExample } from '../gateway-runtime/snapshot/diagnostic.ts';
import { ruleField } from '../gateway-runtime/snapshot/rule-field.ts';
import type { HttpRule, Snapshot } from '../gateway-runtime/snapshot/snapshot.ts';
import { translate } from '../gateway-runtime/translate/translate.ts';
import type { AppObject } from './app-objects.ts';
import { grantedStandIns } from './granted-elsewhere.ts';
import { importedGrants } from './import-grant.ts';
import { placesOf } from './own-listeners.ts';
import { priorityFindings } from './priorities.ts';
import { certificateStandIns } from './stand-ins.ts';
import { type SynthHooks, WARNINGS } from './synth-hooks.ts';
import { teamFindings } from './team-objects.ts';

export interface Finding {
  readonly severity: 'error' | 'warning';
  /** The construct, such as `shop/cart`. */
  readonly path: string;
  /** Sentences: what was found, what was expected, what to do. */
  readonly message: string;
}

/** What is wrong with the objects of an app. */
export function findingsOf(root: IConstruct, appObjects: readonly AppObject[]): Finding[] {
  const ofTeams = teamFindings(root, appObjects);
  // What a team may not write at all means nothing else.
  const told = new Set(ofTeams.map(({ path }) => path));
  return [...ofTeams, ...meaning(root, appObjects).filter(({ path }) => !told.has(path))];
}

function meaning(root: IConstruct, appObjects: readonly AppObject[]): Finding[] {
  const paths = new Paths(appObjects);
  const objects = appObjects.map(({ object }) => object);
  const granted = grantedStandIns(root, objects);
  const all = [...objects, ...granted];
  const translation = translate([...all, ...certificateStandIns(all)], { regex: re2, classes: 'any' });
  // What is wrong with what stands elsewhere is not for here.
  const there = new Set(granted.map((object) => refKey(refOf(object))));
  const diagnostics = translation.diagnostics.filter(({ object }) => !there.has(refKey(object)));
  return [
    ...duplicates(appObjects),
    ...priorityFindings(root),
    ...root.node.findAll().flatMap((construct) => ownWarnings(construct, objects)),
    ...fromDiagnostics(root, diagnostics, paths),
    ...[...translation.snapshots.values()].flatMap((snapshot) => fromShadows(shadows(snapshot), paths)),
  ];
}

function ownWarnings(construct: IConstruct, objects: readonly RawObject[]): Finding[] {
  const messages = (construct as SynthHooks)[WARNINGS]?.(objects) ?? [];
  return messages.map((message) => ({ severity: 'warning', path: construct.node.path, message }));
}

/** Which construct made an object. */
class Paths {
  readonly #paths: ReadonlyMap<string, string>;

  constructor(objects: readonly AppObject[]) {
    this.#paths = new Map(objects.map(({ object, path }) => [refKey(refOf(object)), path]));
  }

  of(ref: { kind: string; namespace: string; name: string }): string | undefined {
    return this.#paths.get(refKey(ref));
  }

  /** `HTTPRoute/shop/cart (shop/cart)`: an object of the app with its construct. */
  named(ref: { kind: string; namespace: string; name: string }): string {
    const path = this.of(ref);
    return path === undefined ? refKey(ref) : `${refKey(ref)} (${path})`;
  }
}

/** Two constructs with one object: whichever is applied last would win. */
function duplicates(objects: readonly AppObject[]): Finding[] {
  const seen = new Map<string, string>();
  return objects.flatMap(({ object, path }) => {
    const key = `${refOf(object).group} ${refKey(identity(object))}`;
    const first = seen.get(key);
    seen.set(key, first ?? path);
    if (first === undefined) return [];
    const message = `${refKey(identity(object))} is made by ${first} already. Fix: give one of them another name.`;
    return [{ severity: 'error' as const, path, message }];
  });
}

function identity(object: RawObject): ObjectRef {
  const ref = refOf(object);
  const { namespace } = (object.metadata ?? {}) as { namespace?: unknown };
  return { ...ref, namespace: ref.namespace || (typeof namespace === 'string' ? namespace : '') };
}

/**
 * Reasons that are no error at synth: what is missing in the app may be in the cluster, who may attach is the platform's to
 * change at any time, and what this runtime does not serve another may.
 */
const MAY_BE_ELSEWHERE = new Set([
  'route/backend-not-found',
  'route/ref-not-permitted',
  'listener/ref-not-permitted',
  'listener/no-valid-ca-certificate',
]);
const NEVER_ERRORS = new Set([
  'route/not-allowed-by-listeners',
  'listener/invalid-route-kinds',
  'listener/unsupported-protocol',
  // In sum what is told of each listener.
  'gateway/listeners-not-valid',
  'gateway-class/invalid-parameters',
  'gateway/invalid-parameters',
]);

/** What one object says of several of its fields in the same words is one finding. */
function fromDiagnostics(root: IConstruct, diagnostics: readonly Diagnostic[], paths: Paths): Finding[] {
  // What was granted elsewhere is there, and so is its gateway.
  const elsewhere = new Set(
    [...importedGrants().keys()].flatMap((grant) => [
      `Gateway/${grant.gatewayName}`,
      ...placesOf(root, grant).map(refKey),
    ]),
  );
  const groups = new Map<string, [Diagnostic, ...Diagnostic[]]>();
  for (const diagnostic of diagnostics) {
    // Most objects of an app are none of a gateway's business.
    if (diagnostic.code === 'object/unknown-kind') continue;
    const { code, object, message, related = [] } = diagnostic;
    if (code.endsWith('/parent-not-found') && related.some((ref) => elsewhere.has(refKey(ref)))) continue;
    if (code === 'listener/invalid-route-kinds' && isUnserved(diagnostics, diagnostic)) continue;
    const key = `${paths.of(object) ?? refKey(object)} ${code} ${message}`;
    const group = groups.get(key);
    if (group) group.push(diagnostic);
    else groups.set(key, [diagnostic]);
  }
  return [...groups.values()].map((group) => fromDiagnostic(group, paths));
}

/** Whether the protocol of a listener is not served, which says enough of the kinds of routes that it is for. */
function isUnserved(diagnostics: readonly Diagnostic[], { object, field }: Diagnostic): boolean {
  const protocol = `${field?.split('.').slice(0, 2).join('.')}.protocol`;
  return diagnostics.some(
    (each) =>
      each.code === 'listener/unsupported-protocol' &&
      each.field === protocol &&
      refKey(each.object) === refKey(object),
  );
}

function fromDiagnostic([first, ...others]: [Diagnostic, ...Diagnostic[]], paths: Paths): Finding {
  const { severity, code, object, field, message, fix, related = [], example } = first;
  const isElsewhere = MAY_BE_ELSEWHERE.has(code) && !related.some((ref) => paths.of(ref) !== undefined);
  const isWarning = severity !== 'error' || isElsewhere || NEVER_ERRORS.has(code);
  const place = field ? ` ${field}${others.length > 0 ? ` and ${others.length} more` : ''}` : '';
  const sentences = [
    `${refKey(object)}${place}: ${message}.`,
    ...(fix ? [`Fix: ${fix}${isElsewhere ? ', unless the cluster has it already' : ''}.`] : []),
    ...related.filter((ref) => paths.of(ref) !== undefined).map((ref) => `See ${paths.named(ref)}.`),
    ...(example ? [`Example: ${formatExample(example)}.`] : []),
  ];
  return {
    severity: isWarning ? 'warning' : 'error',
    path: paths.of(object) ?? '',
    message: sentences.join(' '),
  };
}

/** The rules of a snapshot that no request reaches, each told once, with the constructs of those that have one. */
export function shadowFindings(snapshot: Snapshot, appObjects: readonly AppObject[]): Finding[] {
  return fromShadows(shadows(snapshot), new Paths(appObjects));
}

/** One finding for each pair of rules, whatever number of listeners, hostnames and matches they meet at. */
function fromShadows(all: readonly Shadow[], paths: Paths): Finding[] {
  const told = new Set<string>();
  return all.flatMap((shadow) => {
    const { lost, by, byListener, identical, line } = shadow;
    const winner = by
      ? ruleText(by.rule, paths)
      : `listener ${byListener!.source.listener} of ${paths.named(byListener!.source)}`;
    const pair = `${lost.rule.key} ${winner}`;
    if (told.has(pair)) return [];
    told.add(pair);
    const why = byListener
      ? `${winner} takes hostname ${lost.hostname}, and the route is not attached to it`
      : `${winner} ${identical ? 'matches the same requests' : 'takes all of its requests'} and goes first (${line!.sentence})`;
    const match = lost.rule.matches.length > 1 ? lost.match : undefined;
    const fix = byListener
      ? 'attach to that listener or drop the hostname'
      : 'remove one of them, or tell them apart';
    const message = `${ruleText(lost.rule, paths, match)} is never reached: ${why}. Example: ${formatExample(exampleOf(shadow))}. Fix: ${fix}.`;
    // Between teams it is no oversight of one of them: the platform let both have the hostname.
    const crossTeam = by !== undefined && by.rule.source.team !== lost.rule.source.team;
    return [
      { severity: crossTeam ? 'error' : 'warning', path: paths.of(lost.rule.source) ?? '', message },
    ] satisfies Finding[];
  });
}

function ruleText({ source }: HttpRule, paths: Paths, match?: number): string {
  return `${ruleField(source, match)} of ${paths.named(source)}`;
}
