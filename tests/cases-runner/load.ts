/** Cases from disk, with their fragments, certificates and edits worked in: what each step of a case consists of. */
import { readdirSync, readFileSync } from 'node:fs';
import { join, relative } from 'node:path';
import { KINDS, type KindName, refOf } from '../../gateway-runtime/api/kinds.ts';
import { type RawObject, refKey } from '../../gateway-runtime/api/object.ts';
import { re2 } from '../../gateway-runtime/regex/re2.ts';
import type { Change, TranslateOptions } from '../../gateway-runtime/translate/translation.ts';
import { type CaseForm, type CaseRequest, type Edit, parseCase, parseFragment } from './case.ts';
import { caConfigMap, tlsSecret } from './certificates.ts';

export const CASES = join(import.meta.dirname, '..', 'cases');
const SHARED = '_shared';

/** A state of the world with what is expected of it: the case as it begins, then one for each edit. */
export interface Step {
  /** What the edit that leads here is about; empty for the case as it begins. */
  readonly edit: string;
  readonly objects: readonly RawObject[];
  /** What leads here from the step before. */
  readonly changes: readonly Change[];
  readonly requests: readonly CaseRequest[];
  readonly expects: Pick<CaseForm, 'statuses' | 'diagnostics'>;
}

export interface Case {
  /** Path under `tests/cases`, without `.yaml`. */
  readonly name: string;
  readonly form: CaseForm;
  readonly steps: readonly Step[];
}

export function optionsOf({ form: { classes, limits } }: Case): TranslateOptions {
  return { regex: re2, ...(classes ? { classes } : {}), ...(limits ? { limits } : {}) };
}

export const keyOf = (object: RawObject): string => refKey(refOf(object));

/** Fills in what every object of a known kind would repeat: the apiVersion. */
function withVersion(object: RawObject): RawObject {
  if (Object.hasOwn(object, 'apiVersion') || typeof object.kind !== 'string') return object;
  const definition = Object.hasOwn(KINDS, object.kind) ? KINDS[object.kind as KindName] : undefined;
  if (!definition) return object;
  const version = definition.versions[0]!;
  return { apiVersion: definition.group ? `${definition.group}/${version}` : version, ...object };
}

/** Sets or removes one field; `path` is as in a diagnostic, `spec.rules[0].matches`. */
export function changed(object: RawObject, path: string, to: unknown): RawObject {
  const copy = structuredClone(object);
  const steps = path.split(/[.[\]]+/).filter((step) => step !== '');
  const last = steps.pop()!;
  let at: Record<string, unknown> = copy;
  for (const step of steps) {
    at[step] ??= {};
    at = at[step] as Record<string, unknown>;
  }
  if (to !== null) at[last] = to;
  else if (Array.isArray(at)) at.splice(Number(last), 1);
  else delete at[last];
  return copy;
}

function applyEdit(name: string, before: ReadonlyMap<string, RawObject>, edit: Edit): Change[] {
  const changes: Change[] = [...madeFor(edit), ...(edit.set ?? [])].map((object) => ({
    set: withVersion(object),
  }));
  for (const [key, fields] of edit.change ?? []) {
    let object = before.get(key);
    if (!object) throw new Error(`${name}: "${edit.about}" changes ${key}, which the case does not have`);
    for (const [path, { to }] of fields) object = changed(object, path, to);
    changes.push({ set: object });
  }
  for (const key of edit.remove ?? []) {
    const object = before.get(key);
    if (!object) throw new Error(`${name}: "${edit.about}" removes ${key}, which the case does not have`);
    changes.push({ remove: refOf(object) });
  }
  return changes;
}

function applyChanges(before: ReadonlyMap<string, RawObject>, changes: readonly Change[]) {
  const after = new Map(before);
  for (const change of changes) {
    if ('set' in change) after.set(keyOf(change.set), change.set);
    else after.delete(refKey(change.remove));
  }
  return after;
}

function madeFor({
  certificates = new Map(),
  authorities = new Map(),
}: Pick<CaseForm, 'certificates' | 'authorities'>): RawObject[] {
  return [
    ...[...certificates].map(([secret, names]) => tlsSecret(secret, names)),
    ...[...authorities].map(([configMap, name]) => caConfigMap(configMap, name)),
  ];
}

function firstObjects(form: CaseForm, fragment: (name: string) => RawObject[]): RawObject[] {
  return [...(form.use ?? []).flatMap(fragment), ...madeFor(form), ...(form.objects ?? [])].map(withVersion);
}

/** A case with its steps worked out. `fragment` reads a file of `_shared/`. */
export function makeCase(name: string, form: CaseForm, fragment: (name: string) => RawObject[]): Case {
  let world: ReadonlyMap<string, RawObject> = new Map();
  const step = (edit: string, changes: Change[], from: CaseForm | Edit): Step => {
    world = applyChanges(world, changes);
    const { statuses, diagnostics, requests = [] } = from;
    return { edit, objects: [...world.values()], changes, requests, expects: { statuses, diagnostics } };
  };
  const begin = firstObjects(form, fragment).map((object) => ({ set: object }));
  const steps = [step('', begin, form)];
  for (const edit of form.edits ?? []) steps.push(step(edit.about, applyEdit(name, world, edit), edit));
  return { name, form, steps };
}

/** A file of `_shared/`. */
export function readFragment(name: string): RawObject[] {
  const file = join(CASES, SHARED, `${name}.yaml`);
  return parseFragment(relative(CASES, file), readFileSync(file, 'utf8'));
}

/** Every case under `tests/cases`, in the order of the names. `only` narrows to names that contain it. */
export function loadCases(only = ''): Case[] {
  return readdirSync(CASES, { recursive: true, encoding: 'utf8' })
    .filter((file) => file.endsWith('.yaml') && !file.startsWith(SHARED) && file.includes(only))
    .sort()
    .map((file) => {
      const form = parseCase(`tests/cases/${file}`, readFileSync(join(CASES, file), 'utf8'));
      return makeCase(file.slice(0, -'.yaml'.length), form, readFragment);
    });
}
