/** What holds for the translation of any objects, in any order, in one go or in steps. */

import { afterAll, describe, expect, it } from '@jest/globals';
import fc from 'fast-check';
import { KINDS, refOf } from '../../gateway-runtime/api/kinds.ts';
import { type RawObject, refKey } from '../../gateway-runtime/api/object.ts';
import type { RegexEngine } from '../../gateway-runtime/match/regex.ts';
import { applyDelta, snapshotOf } from '../../gateway-runtime/snapshot/difference.ts';
import { gatewayKey } from '../../gateway-runtime/snapshot/snapshot.ts';
import { same } from '../../gateway-runtime/translate/same.ts';
import { translate } from '../../gateway-runtime/translate/translate.ts';
import type {
  Condition,
  ObjectStatus,
  TranslateOptions,
  Translation,
  TranslationChange,
} from '../../gateway-runtime/translate/translation.ts';
import { NO_CHANGE } from '../../gateway-runtime/translate/translation.ts';
import { Translator } from '../../gateway-runtime/translate/translator.ts';
import { assertWithCase, type FoundCase } from './as-case.ts';
import { brokenObject, type Edit, edits, keyOfRef, objectSet, PEM } from './generators-translate.ts';

/** Which expressions are wrong is all that matters here. */
const regex: RegexEngine = {
  compile: (source) => (source.includes('(') ? { problem: 'missing )' } : { regex: { test: () => false } }),
};
const options: fc.Arbitrary<TranslateOptions> = fc
  .tuple(
    fc.constantFrom<NonNullable<TranslateOptions['classes']>>('own', 'any', ['ours', 'none']),
    fc.constantFrom({}, {}, { rules: 2 }, { rules: 4, matches: 3, regexCharacters: 3 }),
  )
  .map(([classes, limits]) => ({ regex, classes, limits }));

/** What each generated case got to, so that the properties are not shown on empty translations. */
const seen = { snapshots: 0, rules: 0, attached: 0, endpoints: 0, certificates: 0, refusals: 0 };
const reasons = new Set<string>();

/** Conditions that objects so few and small must have come to: kind, type and reason. */
const REASONS = [
  'GatewayClass Accepted Accepted',
  'GatewayClass Accepted InvalidParameters',
  'Gateway Accepted InvalidParameters',
  'Gateway Accepted ListenersNotValid',
  'Gateway Accepted UnsupportedAddress',
  'Gateway Accepted UnsupportedProtocol',
  'Gateway Accepted UnsupportedValue',
  'Gateway Conflicted ProtocolConflict',
  'Gateway DefaultGateway DefaultGateway',
  'Gateway Programmed Programmed',
  'Gateway ResolvedRefs InvalidCertificateRef',
  'Gateway ResolvedRefs InvalidRouteKinds',
  'Gateway ResolvedRefs RefNotPermitted',
  'ListenerSet Accepted Accepted',
  'ListenerSet Accepted ListenersNotValid',
  'ListenerSet Accepted NotAllowed',
  'ListenerSet Accepted ParentNotAccepted',
  'ListenerSet Conflicted HostnameConflict',
  'ListenerSet Conflicted ProtocolConflict',
  'ListenerSet Programmed Programmed',
  'HTTPRoute Accepted Accepted',
  'HTTPRoute Accepted LimitExceeded',
  'HTTPRoute Accepted NoMatchingListenerHostname',
  'HTTPRoute Accepted NoMatchingParent',
  'HTTPRoute Accepted NotAllowedByListeners',
  'HTTPRoute Accepted UnsupportedValue',
  'HTTPRoute PartiallyInvalid NotAllowedByListeners',
  'HTTPRoute PartiallyInvalid UnsupportedValue',
  'HTTPRoute ResolvedRefs BackendNotFound',
  'HTTPRoute ResolvedRefs InvalidKind',
  'HTTPRoute ResolvedRefs RefNotPermitted',
  'BackendTLSPolicy Accepted Invalid',
  'BackendTLSPolicy Accepted NoValidCACertificate',
  'BackendTLSPolicy Accepted TargetNotFound',
  'GatewayPolicy Accepted Conflicted',
  'GatewayPolicy Accepted TargetNotFound',
  'GatewayPolicy Programmed Programmed',
  'GatewayPolicy Programmed PartiallyProgrammed',
  'RoutePolicy Accepted Conflicted',
  'RoutePolicy Accepted TargetNotFound',
  'RoutePolicy Programmed Programmed',
  'HTTPRoute gatewright.dev/GatewayPolicyAffected Affected',
  'HTTPRoute gatewright.dev/RoutePolicyAffected Affected',
];

const conditionsOf = (status: ObjectStatus): readonly Condition[] =>
  'parents' in status
    ? status.parents.flatMap((each) => each.conditions)
    : 'ancestors' in status
      ? status.ancestors.flatMap((each) => each.conditions)
      : [
          ...status.conditions,
          ...('listeners' in status ? status.listeners.flatMap((each) => each.conditions) : []),
        ];

function look(translation: Translation): void {
  seen.snapshots += translation.snapshots.size;
  seen.endpoints += translation.endpoints.size;
  seen.certificates += translation.certificates.size;
  for (const { resources } of translation.snapshots.values()) {
    for (const resource of resources) {
      if (resource.type !== 'http-rule') continue;
      seen.rules++;
      if (resource.refusal) seen.refusals++;
    }
  }
  for (const status of translation.statuses.values()) {
    for (const { type, reason } of conditionsOf(status)) reasons.add(`${status.kind} ${type} ${reason}`);
    if ('listeners' in status) {
      for (const { attachedRoutes } of status.listeners) seen.attached += attachedRoutes;
    }
  }
}

function frozen<T>(value: T): T {
  if (typeof value === 'object' && value !== null) {
    for (const each of Object.values(value)) frozen(each);
    Object.freeze(value);
  }
  return value;
}

/** A Translation as one follows it by its changes alone. */
class Follower {
  readonly snapshots = new Map();
  readonly statuses = new Map();
  readonly endpoints = new Map();
  readonly certificates = new Map();
  readonly secrets = new Map();
  readonly configMaps = new Map();
  readonly infrastructure = new Map();
  readonly #diagnostics = new Map();

  apply(change: TranslationChange): void {
    for (const key of change.removedGateways) this.snapshots.delete(key);
    for (const delta of change.deltas) {
      const key = gatewayKey(delta.gateway);
      expect(delta.from).toBe(this.snapshots.get(key)?.version);
      this.snapshots.set(key, applyDelta(this.snapshots.get(key), delta));
    }
    for (const name of [
      'statuses',
      'endpoints',
      'certificates',
      'secrets',
      'configMaps',
      'infrastructure',
    ] as const) {
      for (const [key, value] of change[name]) {
        if (value === undefined) expect(this[name].delete(key)).toBe(true);
        else this[name].set(key, value);
      }
    }
    for (const [key, each] of change.diagnostics) this.#diagnostics.set(key, each);
  }

  get diagnostics() {
    return [...this.#diagnostics.keys()].sort().flatMap((key) => this.#diagnostics.get(key));
  }
}

const ofObjects = ([objects, given]: [RawObject[], TranslateOptions]): FoundCase => ({
  objects,
  options: given,
});
const ofSteps = ([objects, steps, given]: [RawObject[], Edit[][], TranslateOptions]): FoundCase => ({
  objects,
  steps,
  options: given,
});

/** Many times faster than `toEqual`, which is left to show the difference. */
function expectSame(found: unknown, expected: unknown): void {
  if (!same(found, expected)) expect(found).toEqual(expected);
}

describe('translate', () => {
  it('does not depend on the order of objects', () => {
    assertWithCase(
      fc.property(
        objectSet.chain((objects) =>
          fc.tuple(
            fc.constant(objects),
            fc.shuffledSubarray(objects, { minLength: objects.length, maxLength: objects.length }),
          ),
        ),
        options,
        ([objects, shuffled], given) => {
          const translation = translate(objects, given);
          expectSame(translate(shuffled, given), translation);
        },
      ),
      200,
      ([[objects], given]) => ({ objects, options: given }),
    );
  });

  it('alters no object, and its snapshots are plain JSON without key material', () => {
    assertWithCase(
      fc.property(objectSet, options, (objects, given) => {
        const translation = translate(frozen(objects), given);
        for (const snapshot of translation.snapshots.values()) {
          expect(JSON.parse(JSON.stringify(snapshot))).toEqual(snapshot);
          expect(snapshotOf(snapshot.gateway, snapshot.resources)).toEqual(snapshot);
        }
        const shown = JSON.stringify([
          [...translation.snapshots.values()],
          [...translation.statuses.values()],
          translation.diagnostics,
        ]);
        for (const secret of Object.values(PEM)) {
          expect(shown).not.toContain(secret.split('\n')[1]);
          expect(shown).not.toContain(btoa(secret).slice(40, 60));
        }
      }),
      200,
      ofObjects,
    );
  });

  it('throws on nothing, and says something about every object that it refuses', () => {
    const rawObject = fc.oneof(brokenObject, fc.jsonValue() as fc.Arbitrary<RawObject>);
    assertWithCase(
      fc.property(fc.array(rawObject, { maxLength: 8 }), options, (objects, given) => {
        const { diagnostics } = translate(objects, given);
        for (const object of objects) {
          if (typeof object === 'object' && object !== null && !Array.isArray(object)) continue;
          expect(diagnostics.some(({ code }) => code === 'object/invalid-field')).toBe(true);
        }
      }),
      1000,
      ofObjects,
    );
  });

  it('gives every condition that is not as it should be a diagnostic of its object', () => {
    const AS_IT_SHOULD = new Set([
      'Accepted True',
      'Programmed True',
      'ResolvedRefs True',
      'Conflicted False',
      'OverlappingTLSConfig True',
      'DefaultGateway True',
      'gatewright.dev/GatewayPolicyAffected True',
      'gatewright.dev/RoutePolicyAffected True',
    ]);
    assertWithCase(
      fc.property(objectSet, options, (objects, given) => {
        const { statuses, diagnostics } = translate(objects, given);
        const told = new Set(diagnostics.map(({ object }) => refKey(object)));
        for (const [key, status] of statuses) {
          const wrong = conditionsOf(status).filter(
            ({ type, status: is }) => !AS_IT_SHOULD.has(`${type} ${is}`),
          );
          if (wrong.length > 0 && !told.has(key))
            throw new Error(`${key}: ${JSON.stringify(wrong[0])} without a diagnostic`);
        }
      }),
      200,
      ofObjects,
    );
  });

  it('lets the objects of one namespace alter no resource of another', () => {
    // Last in the order of names: before it, a ListenerSet may take a place by precedence, and rightly so.
    const intruder = 'zz-intruder';
    const moved = (object: RawObject): RawObject => {
      const metadata = { ...(object.metadata as object), namespace: intruder, creationTimestamp: undefined };
      return { ...object, metadata };
    };
    const isMovable = ({ kind }: RawObject) => kind !== 'Namespace' && kind !== 'GatewayClass';
    assertWithCase(
      fc.property(objectSet, objectSet, options, (objects, others, given) => {
        const added = new Map(
          others
            .filter(isMovable)
            .map(moved)
            .map((object) => [refKey(refOf(object)), object]),
        );
        const before = translate(objects, given);
        const after = translate([...objects, ...added.values()], given);
        for (const [key, { resources }] of before.snapshots) {
          const now = new Map(
            after.snapshots.get(key)!.resources.map((resource) => [resource.key, resource]),
          );
          for (const resource of resources) expectSame(now.get(resource.key), resource);
        }
        for (const name of ['endpoints', 'certificates'] as const) {
          for (const [key, value] of before[name]) expectSame(after[name].get(key as never), value);
        }
      }),
      150,
      ([objects, others, given]) => ({
        objects,
        steps: [others.filter(isMovable).map((object) => ({ set: moved(object) }))],
        options: given,
      }),
    );
  });

  // Not counted on the random cases of the properties: there, a threshold would fail by chance now and then.
  it('is shown on objects that come to something', () => {
    const sample = fc.sample(fc.tuple(objectSet, options), { seed: 20_260_101, numRuns: 800 });
    for (const [objects, given] of sample) look(translate(objects, given));
    expect(seen.snapshots).toBeGreaterThan(100);
    expect(seen.rules).toBeGreaterThan(100);
    expect(seen.attached).toBeGreaterThan(50);
    expect(seen.endpoints).toBeGreaterThan(20);
    expect(seen.certificates).toBeGreaterThan(10);
    expect(seen.refusals).toBeGreaterThan(20);
    expect([...REASONS].filter((each) => !reasons.has(each))).toEqual([]);
  });
});

describe('Translator', () => {
  /** Which kinds were set and which removed while they were there. */
  const edited = new Set<string>();

  const run = (objects: readonly RawObject[], steps: readonly Edit[][], given: TranslateOptions) => {
    const translator = new Translator(given);
    const follower = new Follower();
    const present = new Map<string, Edit>();
    for (const step of [objects.map((set): Edit => ({ set })), ...steps]) {
      for (const change of step) {
        if ('remove' in change) {
          if (present.delete(keyOfRef(change.remove))) edited.add(`${change.remove.kind} removed`);
          continue;
        }
        const ref = 'set' in change ? refOf(change.set) : change.withhold;
        edited.add(`${ref.kind} ${present.has(keyOfRef(ref)) ? 'replaced' : 'added'}`);
        present.set(keyOfRef(ref), change);
      }
      follower.apply(translator.apply(step));
      const fresh = new Translator(given);
      fresh.apply([...present.values()]);
      expectSame(translator.current, fresh.current);
      const {
        snapshots,
        statuses,
        endpoints,
        certificates,
        secrets,
        configMaps,
        infrastructure,
        diagnostics,
      } = follower;
      expectSame(
        { snapshots, statuses, endpoints, certificates, secrets, configMaps, infrastructure, diagnostics },
        fresh.current,
      );
    }
    return { translator, present };
  };

  it('gives after any edits what a translation from scratch gives, and its changes add up to it', () => {
    assertWithCase(
      fc.property(objectSet, edits, options, (objects, steps, given) => {
        run(objects, steps, given);
      }),
      200,
      ofSteps,
    );
  });

  it('says nothing when nothing changed, and is empty again when everything is gone', () => {
    assertWithCase(
      fc.property(objectSet, edits, options, (objects, steps, given) => {
        const { translator, present } = run(objects, steps.slice(0, 2), given);
        expect(translator.apply([...present.values()])).toEqual(NO_CHANGE);
        expect(translator.apply(structuredClone([...present.values()]))).toEqual(NO_CHANGE);
        translator.apply(
          [...present.values()].map((each) => {
            if ('set' in each) return { remove: refOf(each.set) };
            return { remove: 'withhold' in each ? each.withhold : each.remove };
          }),
        );
        expect(translator.current).toEqual(translate([], given));
      }),
      50,
      ofSteps,
    );
  });

  it('leaves a translation that it gave out as it was', () => {
    assertWithCase(
      fc.property(objectSet, edits, options, (objects, steps, given) => {
        const translator = new Translator(given);
        translator.apply(objects.map((set) => ({ set })));
        const { current } = translator;
        const before = JSON.stringify([...current.statuses, ...current.snapshots, ...current.endpoints]);
        for (const step of steps) translator.apply(step);
        expect(JSON.stringify([...current.statuses, ...current.snapshots, ...current.endpoints])).toBe(
          before,
        );
      }),
      30,
      ofSteps,
    );
  });

  afterAll(() => {
    for (const kind of Object.keys(KINDS)) {
      for (const how of ['added', 'replaced', 'removed']) expect(edited).toContain(`${kind} ${how}`);
    }
  });
});
