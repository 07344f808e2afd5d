/**
 * An app that tests ask: read and translated once, and the same answers given until it changes. A construct that is added, an object
 * put into the array or a file that is edited is noticed at the next test, and the app read anew; what else was changed in an app
 * after it was asked is refused when the tests of the file end.
 */
import type { App } from 'cdk8s';
import type { IConstruct } from 'constructs';
import { refusedAmong } from '../cli/show/refused-routes.ts';
import { type AppObject, objectsOf } from '../constructs/app-objects.ts';
import { certificateStandIns } from '../constructs/stand-ins.ts';
import { synthesize } from '../constructs/synthesize.ts';
import { type RawObject, refKey } from '../gateway-runtime/api/object.ts';
import { missingServices, standInService } from '../gateway-runtime/control/missing-services.ts';
import { readObject } from '../gateway-runtime/control/read-object.ts';
import { formatSourceProblem, type SourcedObject } from '../gateway-runtime/control/source.ts';
import { explainAsked, type KnownObjects } from '../gateway-runtime/explain/explained.ts';
import type { Explained } from '../gateway-runtime/explain/explanation.ts';
import { parseRequest } from '../gateway-runtime/explain/request.ts';
import type { RegexEngine } from '../gateway-runtime/match/regex.ts';
import { re2 } from '../gateway-runtime/regex/re2.ts';
import { gatewayKey, type Snapshot } from '../gateway-runtime/snapshot/snapshot.ts';
import { translate } from '../gateway-runtime/translate/translate.ts';
import type { Translation } from '../gateway-runtime/translate/translation.ts';
import { type Outcome, outcomesOf } from './outcome.ts';
import { readPath } from './read-path.ts';
import { RulesOfHost } from './rules-of-host.ts';

/** An app, the path of one or of manifests, or Kubernetes objects. */
export type Askable = App | string | readonly object[];

export interface Question {
  /** Such as `{ 'x-tier': 'gold' }`. */
  readonly headers?: Readonly<Record<string, string | readonly string[]>>;
  /** `namespace/name` of the Gateway to ask. By default all that have the port, and the one that answers best counts. */
  readonly gateway?: string;
}

/** What becomes of a request. */
export interface Asked {
  readonly outcomes: readonly Outcome[];
  /** Why; slow. */
  readonly explain: () => Explained;
}

const NOTHING_KNOWN: KnownObjects = { refused: () => [] };

export class AskedApp {
  readonly translation: Translation;
  readonly objects: readonly SourcedObject[];
  /** With the constructs that made them, where it is an app. */
  readonly appObjects: readonly AppObject[];
  /** All of its objects, also those that no gateway has to do with; with constructs, where they are known. */
  readonly written: readonly { readonly object: RawObject; readonly path?: string }[];
  /** Whether it is known by now that the app is another one. */
  readonly isStale: () => boolean;
  /** Whether the app is still what was read; slow. */
  readonly isTrue: () => boolean;
  readonly #regex = compiledOnce(re2);
  readonly #parts = new Map<Snapshot, RulesOfHost>();
  readonly #origins: ReadonlyMap<string, string>;

  /** Throws where the app has errors. */
  constructor(app: Askable) {
    const { objects, appObjects = [], written, isStale, isTrue = () => true } = read(app);
    const services = missingServices(objects).map(standInService);
    const raw = [...objects, ...services].map((each) => each.raw);
    this.objects = objects;
    this.#origins = new Map(objects.map(({ ref, origin }) => [refKey(ref), origin]));
    this.appObjects = appObjects;
    this.written = written ?? objects.map((each) => ({ object: each.raw }));
    this.isStale = isStale;
    this.isTrue = isTrue;
    this.translation = translate([...raw, ...certificateStandIns(raw)], { regex: re2, classes: 'any' });
  }

  /** Throws where the question can't be understood, or no Gateway has the port. */
  ask(line: string, { headers = {}, gateway }: Question): Asked {
    const lines = Object.entries(headers).flatMap(([name, values]) =>
      [values].flat().map((value) => `${name}: ${value}`),
    );
    const asked = parseRequest(line, lines);
    if ('problem' in asked) throw new TypeError(asked.problem);
    const { port, request } = asked;
    const snapshots = this.#snapshotsAt(port, gateway);
    const explainAt = (all: readonly Snapshot[], known: KnownObjects) =>
      explainAsked(
        all.map((snapshot) => ({ snapshot, port })),
        asked,
        known,
        this.#regex,
      );
    const { objects, translation } = this;
    const known: KnownObjects = {
      refused: (host) => refusedAmong({ objects, problems: [], translation }, host),
      originOf: (ref) => this.#origins.get(refKey(ref)),
    };
    const ofHost = snapshots.map((each) => this.#partOf(each).of(request.host));
    return {
      outcomes: outcomesOf(explainAt(ofHost, NOTHING_KNOWN)),
      explain: () => explainAt(snapshots, known),
    };
  }

  #partOf(snapshot: Snapshot): RulesOfHost {
    const known = this.#parts.get(snapshot) ?? new RulesOfHost(snapshot);
    this.#parts.set(snapshot, known);
    return known;
  }

  #snapshotsAt(port: number, name: string | undefined): Snapshot[] {
    const all = [...this.translation.snapshots.values()];
    const asked = all.filter(({ gateway }) => name === undefined || gatewayKey(gateway) === name);
    const found = asked.filter((each) => portsOf(each).includes(port));
    if (found.length > 0) return found;
    const names = all.map(({ gateway }) => gatewayKey(gateway)).join(', ') || 'none';
    if (asked.length === 0) {
      throw new Error(
        name === undefined
          ? 'found no Gateway among the objects, expected one: what serves them must be part of the app, or beside it in the array'
          : `found no Gateway ${name}, expected one of the app: ${names}`,
      );
    }
    const ports = [...new Set(asked.flatMap(portsOf))].sort((a, b) => a - b).join(', ') || 'none';
    throw new Error(
      `found no listener at port ${port}, expected a port of the Gateways (${names}): ${ports}`,
    );
  }
}

const portsOf = ({ resources }: Snapshot) =>
  resources.flatMap((each) => (each.type === 'listener' ? [each.port] : []));

/** The same expressions are asked for with every request. */
function compiledOnce(engine: RegexEngine): RegexEngine {
  const compiled = new Map<string, ReturnType<RegexEngine['compile']>>();
  return {
    compile(source) {
      const known = compiled.get(source) ?? engine.compile(source);
      compiled.set(source, known);
      return known;
    },
  };
}

interface Read {
  readonly objects: readonly SourcedObject[];
  readonly appObjects?: readonly AppObject[];
  /** Where it is more than `objects`. */
  readonly written?: AskedApp['written'];
  readonly isStale: () => boolean;
  readonly isTrue?: () => boolean;
}

function read(app: Askable): Read {
  if (typeof app === 'string') return readPath(app);
  if (Array.isArray(app)) return readArray(app as readonly RawObject[]);
  return readApp(app as App);
}

function readApp(app: App): Read {
  const { objects: appObjects } = synthesize(app);
  const before = countOf(app);
  const text = JSON.stringify(appObjects);
  return {
    objects: sourced(appObjects.map(({ object, path }) => [object, path])),
    appObjects,
    written: appObjects,
    isStale: () => countOf(app) !== before,
    isTrue: () => JSON.stringify(objectsOf(app)) === text,
  };
}

const countOf = (app: IConstruct) => app.node.findAll().length;

function readArray(array: readonly RawObject[]): Read {
  const text = JSON.stringify(array);
  return {
    objects: sourced(array.map((object, index) => [object, `object ${index + 1} of the array`])),
    written: array.map((object) => ({ object })),
    isStale: () => JSON.stringify(array) !== text,
  };
}

/** Throws where one breaks the rules of its kind. */
function sourced(objects: readonly (readonly [RawObject, string])[]): SourcedObject[] {
  const results = objects.map(([object, origin]) => readObject(object, origin, () => ({ file: origin })));
  const errors = results
    .flatMap(({ problems = [] }) => problems)
    .filter(({ severity }) => severity === 'error');
  if (errors.length > 0)
    throw new Error(`the objects have errors:\n${errors.map(formatSourceProblem).join('\n')}`);
  return results.flatMap(({ object }) => (object ? [object] : []));
}

function isAskable(app: unknown): app is Askable {
  if (typeof app === 'string') return true;
  if (Array.isArray(app)) return app.every((each) => typeof each === 'object' && each !== null);
  return typeof app === 'object' && app !== null && 'synthYaml' in app && 'node' in app;
}

const byPath = new Map<string, AskedApp>();
const byIdentity = new Map<object, AskedApp>();
/** Those that were asked in the test that runs. */
let current: unknown;
const checked = new Set<AskedApp>();

/** @param test identity of the test that runs */
export function askedApp(app: unknown, test: unknown): AskedApp {
  if (!isAskable(app)) {
    throw new TypeError(
      `found ${describe(app)}, expected an App of cdk8s, the path of one or of manifests, or an array of Kubernetes objects`,
    );
  }
  if (test !== current || test === undefined) {
    current = test;
    checked.clear();
  }
  const known = typeof app === 'string' ? byPath.get(app) : byIdentity.get(app);
  if (known && (checked.has(known) || !known.isStale())) {
    checked.add(known);
    return known;
  }
  const fresh = new AskedApp(app);
  if (typeof app === 'string') byPath.set(app, fresh);
  else byIdentity.set(app, fresh);
  checked.add(fresh);
  return fresh;
}

function describe(app: unknown): string {
  if (typeof app === 'object' && app !== null && 'node' in app) {
    return `the construct ${(app as IConstruct).node.path || app.constructor.name}, which is a part of an app`;
  }
  return typeof app === 'object' && app !== null ? 'an object' : String(app);
}

/** At the end of the tests of a file. Throws where an app is not the one that its answers were of. */
export function refuseChanged(): void {
  const changed = [...byIdentity.values()].some((each) => !each.isTrue());
  byIdentity.clear();
  byPath.clear();
  if (!changed) return;
  throw new Error(
    'an app was changed after expect(app) had asked it, so what was said of it is not true any more. Expected: it is whole before the first test asks, or each test makes an app of its own',
  );
}
