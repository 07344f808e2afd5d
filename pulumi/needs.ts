/**
 * What must be there before an object: its Namespace, the definition of its kind, and what its construct says it depends on; before a route or a
 * policy for it what lets it in, since admission would refuse it else; and before what has routes judged in a cluster the routes themselves: for as
 * long as half a minute after our kinds are defined, the API server knows of no Grants, and would refuse all of them.
 */
import type { Resource } from '@pulumi/pulumi';
import { ApiObject } from 'cdk8s';
import { GRANT_KIND } from '../gateway-runtime/api/grant.ts';
import { GATEWAY_GROUP, OWN_GROUP } from '../gateway-runtime/api/names.ts';
import { groupOf, type KubernetesObject } from './kubernetes-object.ts';

type Make = (construct: ApiObject) => Resource;

/** `group/kind` that a CustomResourceDefinition defines; undefined for other objects. */
export function definedBy({ kind, spec }: KubernetesObject): string | undefined {
  if (kind !== 'CustomResourceDefinition') return undefined;
  const { group, names } = spec as { group: string; names: { kind: string } };
  return `${group}/${names.kind}`;
}

/** What a construct, or one around it, says it depends on. */
const declaredBy = (construct: ApiObject): ApiObject[] =>
  construct.node.scopes
    .flatMap((scope) => scope.node.dependencies)
    .flatMap((dependency) => dependency.node.findAll())
    .filter((each) => ApiObject.isApiObject(each));

const isJudge = ({ kind }: ApiObject) => kind.startsWith('ValidatingAdmissionPolicy');

const isAdmitted = (object: KubernetesObject) =>
  groupOf(object) === GATEWAY_GROUP
    ? object.kind.endsWith('Route') || object.kind === 'ListenerSet'
    : groupOf(object) === OWN_GROUP && object.kind === 'RoutePolicy';

/** The namespaces whose routes an object lets in. */
function admittedBy(object: KubernetesObject): readonly string[] {
  const kind = `${groupOf(object)}/${object.kind}`;
  if (kind === `${OWN_GROUP}/${GRANT_KIND}`) return [(object.spec as { namespace: string }).namespace];
  if (kind !== `${GATEWAY_GROUP}/ReferenceGrant`) return [];
  return (object.spec as { from: { namespace: string }[] }).from.map(({ namespace }) => namespace);
}

export class Needs {
  readonly #objects: ReadonlyMap<ApiObject, KubernetesObject>;
  readonly #namespaces = new Map<string, ApiObject>();
  readonly #definitions = new Map<string, ApiObject>();
  /** What is judged by policies. */
  readonly #admitted: ApiObject[] = [];
  /** The first of what judges: it waits for all of those, and the others for it, so that there are no more needs than objects. */
  readonly #firstJudge: ApiObject | undefined;
  /** Grants to a namespace, and ReferenceGrants for its objects. */
  readonly #admitting = new Map<string, Set<ApiObject>>();
  /** Those that are no objects of the app. */
  readonly #defined: ReadonlyMap<string, Resource>;

  /** `objects` is what each construct renders to; a render takes a quarter of a millisecond, so nothing here asks for another. */
  constructor(objects: ReadonlyMap<ApiObject, KubernetesObject>, defined: ReadonlyMap<string, Resource>) {
    this.#objects = objects;
    this.#defined = defined;
    this.#firstJudge = [...objects.keys()].find(isJudge);
    for (const [construct, object] of objects) {
      if (construct.kind === 'Namespace') this.#namespaces.set(construct.name, construct);
      if (isAdmitted(object)) this.#admitted.push(construct);
      const kind = definedBy(object);
      if (kind) this.#definitions.set(kind, construct);
      for (const namespace of admittedBy(object)) {
        this.#admitting.set(namespace, (this.#admitting.get(namespace) ?? new Set()).add(construct));
      }
    }
  }

  /** `make` gives the resource of another object of the app. */
  of(construct: ApiObject, make: Make): Resource[] {
    const object = this.#objects.get(construct)!;
    const kind = `${groupOf(object)}/${object.kind}`;
    const definition = this.#definitions.get(kind);
    const defined = this.#defined.get(kind);
    const { namespace } = object.metadata;
    const admitting = isAdmitted(object) ? [...(this.#admitting.get(namespace ?? 'default') ?? [])] : [];
    const others = new Set([
      ...(definition ? [definition] : []),
      ...declaredBy(construct),
      // What the program says of their order goes first.
      ...admitting.filter((each) => !declaredBy(each).includes(construct)),
      ...this.#judgedBefore(construct),
    ]);
    others.delete(construct);
    return [
      ...(defined ? [defined] : []),
      ...(namespace === undefined ? [] : this.namespace(namespace, make)),
      ...[...others].map(make),
    ];
  }

  #judgedBefore(construct: ApiObject): readonly ApiObject[] {
    if (!isJudge(construct)) return [];
    if (construct !== this.#firstJudge) return [this.#firstJudge!];
    return this.#admitted.filter((each) => !declaredBy(each).some(isJudge));
  }

  namespace(name: string, make: Make): Resource[] {
    const construct = this.#namespaces.get(name);
    return construct ? [make(construct)] : [];
  }
}
