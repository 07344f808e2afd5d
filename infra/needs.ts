/** What must be there before an object: its Namespace, the definition of its kind, and what its construct says it depends on. */
import type { Resource } from '@pulumi/pulumi';
import { ApiObject } from 'cdk8s';
import { groupOf, type KubernetesObject } from './kubernetes-object.ts';

type Make = (construct: ApiObject) => Resource;

/** `group/kind` that a CustomResourceDefinition defines; undefined for other objects. */
export function definedBy({ kind, spec }: KubernetesObject): string | undefined {
  if (kind !== 'CustomResourceDefinition') return undefined;
  const { group, names } = spec as { group: string; names: { kind: string } };
  return `${group}/${names.kind}`;
}

export class Needs {
  readonly #namespaces = new Map<string, ApiObject>();
  readonly #definitions = new Map<string, ApiObject>();
  /** Those that are no objects of the app. */
  readonly #defined: ReadonlyMap<string, Resource>;

  constructor(constructs: readonly ApiObject[], defined: ReadonlyMap<string, Resource>) {
    this.#defined = defined;
    for (const construct of constructs) {
      if (construct.kind === 'Namespace') this.#namespaces.set(construct.name, construct);
      const kind = definedBy(construct.toJson() as KubernetesObject);
      if (kind) this.#definitions.set(kind, construct);
    }
  }

  /** `make` gives the resource of another object of the app. */
  of(construct: ApiObject, make: Make): Resource[] {
    const object = construct.toJson() as KubernetesObject;
    const kind = `${groupOf(object)}/${object.kind}`;
    const definition = this.#definitions.get(kind);
    const defined = this.#defined.get(kind);
    const declared = construct.node.scopes
      .flatMap((scope) => scope.node.dependencies)
      .flatMap((dependency) => dependency.node.findAll())
      .filter((each) => ApiObject.isApiObject(each));
    const others = new Set([...(definition ? [definition] : []), ...declared]);
    others.delete(construct);
    const { namespace } = object.metadata;
    return [
      ...(defined ? [defined] : []),
      ...(namespace === undefined ? [] : this.namespace(namespace, make)),
      ...[...others].map(make),
    ];
  }

  namespace(name: string, make: Make): Resource[] {
    const construct = this.#namespaces.get(name);
    return construct ? [make(construct)] : [];
  }
}
