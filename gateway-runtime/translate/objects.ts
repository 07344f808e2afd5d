/**
 * The objects as they are now, each checked against the rules of its kind, and the few indexes over them. An invalid
 * object is refused alone. Every look-up is a dependency of what looks.
 */
import { KINDS, type KindName, type KindObject, type KnownObject, type Parsed, parse } from '../api/kinds.ts';
import { GATEWAY_GROUP, NAMESPACE_NAME_LABEL } from '../api/names.ts';
import { type ObjectRef, type RawObject, refKey } from '../api/object.ts';
import type { FieldProblem } from '../api/schema.ts';
import { type Diagnostic, fromFieldProblem } from '../snapshot/diagnostic.ts';
import type { Derived, Input, Memo } from './memo.ts';
import { same } from './same.ts';
import type { PolicyKind, Withhold } from './translation.ts';

/** An object whose kind is clear from the context. */
export interface Name {
  readonly namespace: string;
  readonly name: string;
}

interface Entry {
  /** Absent where there is such an object but it was refused. */
  readonly object?: KnownObject;
  /** Why it can't be read, so that nobody knows whether there is one. */
  readonly withheld?: Withheld;
}

export type Withheld = Pick<Withhold, 'problem' | 'fix'>;

/** Label by which an EndpointSlice names its Service. */
const SERVICE_NAME_LABEL = 'kubernetes.io/service-name';

export class Objects {
  readonly #entries: Input<Entry>;
  /**
   * `listener-sets <namespace> <Gateway>`, `grants <namespace>`, `grants-to <namespace>`, `slices <namespace> <Service>`,
   * `gateways`, `default-gateways`, `gateways-named <name>`, `gateways-in <namespace>`, `policies <kind> <namespace> <kind of target> <target>`,
   * `granted <namespace> <Gateway>`, `granted-to <namespace> <Gateway> <namespace>`,
   * `granted-to-any <namespace>`: names in stable order.
   */
  readonly #indexes: Input<readonly Name[]>;
  readonly #labels: Derived<string | undefined>;
  /** What is indexed where, to take it out again. */
  readonly #indexed = new Map<string, readonly IndexKey[]>();

  constructor(memo: Memo) {
    this.#entries = memo.input();
    this.#indexes = memo.input();
    this.#labels = memo.derive((namespace, label) => {
      // The API server sets it on every namespace; files need not hold the namespaces that they use.
      if (label === NAMESPACE_NAME_LABEL) return namespace;
      const labels = this.get('Namespace', '', namespace!)?.metadata.labels;
      return labels && Object.hasOwn(labels, label!) ? labels[label!] : undefined;
    });
  }

  get<K extends KindName>(kind: K, namespace: string, name: string): KindObject<K> | undefined {
    return this.#entries.get(kind, namespace, name)?.object as KindObject<K> | undefined;
  }

  /** Whether there is such an object that was refused for its fields: then its own diagnostics say why. */
  isRefused(kind: KindName, namespace: string, name: string): boolean {
    const entry = this.#entries.get(kind, namespace, name);
    return entry !== undefined && entry.object === undefined && entry.withheld === undefined;
  }

  /** Why an object can't be read, where that is so. */
  withheld(kind: KindName, namespace: string, name: string): Withheld | undefined {
    return this.#entries.get(kind, namespace, name)?.withheld;
  }

  /** A label of a namespace. Only this one is depended on, and there need not be an object for the namespace. */
  namespaceLabel(namespace: string, label: string): string | undefined {
    return this.#labels.get(namespace, label);
  }

  listenerSetsOf(gateway: Name): readonly Name[] {
    return this.#indexes.get('listener-sets', gateway.namespace, gateway.name) ?? [];
  }

  grantsIn(namespace: string): readonly Name[] {
    return this.#indexes.get('grants', namespace) ?? [];
  }

  /** ReferenceGrants of whatever namespace that let objects of this one refer to something. */
  grantsTo(namespace: string): readonly Name[] {
    return this.#indexes.get('grants-to', namespace) ?? [];
  }

  /** Grants of a Gateway, to whomever. */
  grantsOf(gateway: Name): readonly Name[] {
    return this.#indexes.get('granted', gateway.namespace, gateway.name) ?? [];
  }

  /** Grants of a Gateway to the team of a namespace: one, but for what was written by hand. */
  grantsOfTo(gateway: Name, namespace: string): readonly Name[] {
    return this.#indexes.get('granted-to', gateway.namespace, gateway.name, namespace) ?? [];
  }

  /** Grants to the team of a namespace, of whatever Gateway. */
  grantsToTeamOf(namespace: string): readonly Name[] {
    return this.#indexes.get('granted-to-any', namespace) ?? [];
  }

  /** All of them. */
  gateways(): readonly Name[] {
    return this.#indexes.get('gateways') ?? [];
  }

  /** Those with `defaultScope: All`, whoever has them. */
  defaultGateways(): readonly Name[] {
    return this.#indexes.get('default-gateways') ?? [];
  }

  /** Gateways of this name in every namespace. */
  gatewaysNamed(name: string): readonly Name[] {
    return this.#indexes.get('gateways-named', name) ?? [];
  }

  gatewaysIn(namespace: string): readonly Name[] {
    return this.#indexes.get('gateways-in', namespace) ?? [];
  }

  /** Policies of a kind that name an object of their namespace, or a part of it. */
  policiesOf(kind: PolicyKind, target: { kind: string; namespace: string; name: string }): readonly Name[] {
    return this.#indexes.get('policies', kind, target.namespace, target.kind, target.name) ?? [];
  }

  slicesOf(service: Name): readonly Name[] {
    return this.#indexes.get('slices', service.namespace, service.name) ?? [];
  }

  /** Puts an object in the place of the one of its name. Gives what is wrong with it, and its kind where it is valid. */
  set(raw: RawObject): {
    readonly ref: ObjectRef;
    readonly kind?: KindName;
    readonly diagnostics: readonly Diagnostic[];
  } {
    const parsed = read(raw);
    const { ref } = parsed;
    if (parsed.outcome === 'unknown') {
      const message = `${parsed.reason}; it is skipped`;
      return {
        ref,
        diagnostics: [{ severity: 'warning', code: 'object/unknown-kind', object: ref, message }],
      };
    }
    if (parsed.outcome === 'invalid') {
      this.#put(ref, {});
      const shown = HIDDEN.has(ref.kind) ? parsed.problems.map(withoutContent) : parsed.problems;
      return { ref, diagnostics: shown.map((problem) => fromFieldProblem(ref, problem)) };
    }
    // A written status is no reason to look at the object again.
    const { status: _, ...object } = parsed.object as KnownObject & { status?: unknown };
    this.#put(ref, { object: object as KnownObject });
    return { ref, kind: parsed.kind, diagnostics: [] };
  }

  remove(ref: ObjectRef): void {
    this.#put(ref, undefined);
  }

  withhold(ref: ObjectRef, { problem, fix }: Withheld): void {
    this.#put(ref, { withheld: { problem, fix } });
  }

  #put(ref: ObjectRef, entry: Entry | undefined): void {
    // An object of another group with the same kind and name is another object.
    if (!Object.hasOwn(KINDS, ref.kind) || KINDS[ref.kind as KindName].group !== ref.group) return;
    this.#entries.set(entry, ref.kind, ref.namespace, ref.name);
    const key = refKey(ref);
    const before = this.#indexed.get(key) ?? NO_INDEX;
    const after = entry?.object ? indexesOf(entry.object, ref) : NO_INDEX;
    if (same(before, after)) return;
    for (const index of before) if (!isAmong(index, after)) this.#unlist(ref, index);
    for (const index of after) if (!isAmong(index, before)) this.#list(ref, index);
    if (after.length > 0) this.#indexed.set(key, after);
    else this.#indexed.delete(key);
  }

  #list({ namespace, name }: Name, index: IndexKey): void {
    const all = [...(this.#indexes.get(...index) ?? []), { namespace, name }];
    this.#indexes.set(all.sort(byName), ...index);
  }

  #unlist({ namespace, name }: Name, index: IndexKey): void {
    const rest = this.#indexes
      .get(...index)!
      .filter((each) => each.namespace !== namespace || each.name !== name);
    this.#indexes.set(rest.length > 0 ? rest : undefined, ...index);
  }
}

const HIDDEN: ReadonlySet<string> = new Set(['Secret', 'ConfigMap']);

/** What stands in a Secret or ConfigMap is not shown, also where it stands in the wrong place. */
const withoutContent = (problem: FieldProblem): FieldProblem => ({ ...problem, found: 'something else' });

/** "Alphabetically by "{namespace}/{name}"" is how the API breaks ties. */
function byName(a: Name, b: Name): number {
  return `${a.namespace}/${a.name}` < `${b.namespace}/${b.name}` ? -1 : 1;
}

type IndexKey = readonly string[];

const NO_INDEX: readonly IndexKey[] = [];

const isAmong = (index: IndexKey, all: readonly IndexKey[]) => all.some((each) => same(each, index));

function indexesOf(object: KnownObject, { namespace, name }: ObjectRef): readonly IndexKey[] {
  switch (object.kind) {
    case 'Gateway':
      return [
        ['gateways'],
        ['gateways-named', name],
        ['gateways-in', namespace],
        ...(object.spec.defaultScope === 'All' ? [['default-gateways']] : []),
      ];
    case 'ListenerSet': {
      const parent = object.spec.parentRef;
      if (parent.group !== GATEWAY_GROUP || parent.kind !== 'Gateway') return NO_INDEX;
      return [['listener-sets', parent.namespace ?? namespace, parent.name]];
    }
    case 'ReferenceGrant': {
      const allowed = new Set(object.spec.from.map((each) => each.namespace));
      return [['grants', namespace], ...[...allowed].map((each) => ['grants-to', each])];
    }
    case 'Grant': {
      const { gatewayName, namespace: team } = object.spec;
      return [
        ['granted', namespace, gatewayName],
        ['granted-to', namespace, gatewayName, team],
        ['granted-to-any', team],
      ];
    }
    case 'BackendTLSPolicy':
      return targetsOf(
        object.kind,
        namespace,
        object.spec.targetRefs.filter(({ group, kind }) => group === '' && kind === 'Service'),
      );
    case 'GatewayPolicy':
    case 'RoutePolicy':
      return targetsOf(object.kind, namespace, object.spec.targetRefs);
    case 'EndpointSlice': {
      const labels = object.metadata.labels ?? {};
      return Object.hasOwn(labels, SERVICE_NAME_LABEL)
        ? [['slices', namespace, labels[SERVICE_NAME_LABEL]!]]
        : NO_INDEX;
    }
    default:
      return NO_INDEX;
  }
}

function targetsOf(
  policy: PolicyKind,
  namespace: string,
  targets: readonly { kind: string; name: string }[],
): IndexKey[] {
  const keys = targets.map(({ kind, name }) => ['policies', policy, namespace, kind, name]);
  return keys.filter((key, index) => !isAmong(key, keys.slice(0, index)));
}

const NOBODY: ObjectRef = { group: '', kind: '', namespace: '', name: '' };

function refused(ref: ObjectRef, field: string, found: string, expected: string): Parsed {
  return { outcome: 'invalid', ref, problems: [{ field, found, expected }] };
}

/** Checks one object of whatever form: what is no object at all, or can't even be read, is refused like any other. */
function read(raw: RawObject): Parsed {
  if (typeof raw !== 'object' || raw === null || Array.isArray(raw)) {
    return refused(NOBODY, '', 'something else', 'an object with apiVersion, kind and metadata');
  }
  try {
    const parsed = parse(raw);
    const { namespace, name } = parsed.ref;
    // The API server takes no such name; keys are made of names.
    if (name.includes('/') || name.includes('\0'))
      return refused(parsed.ref, 'metadata.name', JSON.stringify(name), 'a name without "/"');
    if (namespace.includes('/') || namespace.includes('\0'))
      return refused(parsed.ref, 'metadata.namespace', JSON.stringify(namespace), 'a name without "/"');
    return parsed;
  } catch {
    // Nesting deeper than the stack, a cycle, a getter that throws: nothing that a file or the API server gives.
    return refused(NOBODY, '', 'something else', 'plain data, as JSON or YAML can hold it');
  }
}
