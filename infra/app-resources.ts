/**
 * The objects of a cdk8s app as Pulumi resources: one component, and one resource for each object, named as the cluster knows it.
 * A construct that is renamed or moved is no change then; named by construct path it would be created over, and then deleted
 * with, the live object.
 */
import { CustomResource } from '@pulumi/kubernetes/apiextensions/customResource.js';
import { ComponentResource, type ComponentResourceOptions, log, type Resource } from '@pulumi/pulumi';
import { ApiObject, type App } from 'cdk8s';
import { synthesize } from 'gatewright';

interface KubernetesObject {
  readonly apiVersion: string;
  readonly kind: string;
  readonly metadata: { readonly name: string; readonly namespace?: string };
  readonly [field: string]: unknown;
}

export class AppResources extends ComponentResource {
  /** By `kind/namespace/name`, or `kind/name` for what has no namespace. */
  readonly resources: ReadonlyMap<string, Resource>;

  /** Throws where the app has errors, as any synth does, and where it holds the value of a Secret. */
  constructor(name: string, app: App, options: ComponentResourceOptions = {}) {
    super('gatewright:index:AppResources', name, {}, options);
    for (const { path, message } of synthesize(app).warnings) log.warn(`[${path}] ${message}`, this);
    const objects = app.node.findAll().filter((construct) => ApiObject.isApiObject(construct));
    const resources = new Map<string, Resource>();
    const needs = new Needs(objects);
    const make = (object: ApiObject): Resource => {
      const json = object.toJson() as KubernetesObject;
      const known = resources.get(nameOf(json));
      if (known) return known;
      refuseSecretValue(json, object.node.path);
      const dependsOn = needs.of(object).map(make);
      const resource = new CustomResource(nameOf(json), json, { parent: this, dependsOn });
      resources.set(nameOf(json), resource);
      return resource;
    };
    for (const object of objects) make(object);
    this.resources = resources;
    this.registerOutputs();
  }
}

function nameOf({ kind, metadata: { namespace, name } }: KubernetesObject): string {
  return [kind, namespace, name].filter(Boolean).join('/');
}

/** What must be there before an object: its Namespace, the definition of its kind, and what its construct says it depends on. */
class Needs {
  readonly #namespaces = new Map<string, ApiObject>();
  readonly #definitions = new Map<string, ApiObject>();

  constructor(objects: readonly ApiObject[]) {
    for (const object of objects) {
      if (object.kind === 'Namespace') this.#namespaces.set(object.name, object);
      if (object.kind !== 'CustomResourceDefinition') continue;
      const { group, names } = object.toJson().spec as { group: string; names: { kind: string } };
      this.#definitions.set(`${group}/${names.kind}`, object);
    }
  }

  of(object: ApiObject): ApiObject[] {
    const { namespace } = (object.toJson() as KubernetesObject).metadata;
    const declared = object.node.scopes
      .flatMap((scope) => scope.node.dependencies)
      .flatMap((dependency) => dependency.node.findAll())
      .filter((construct) => ApiObject.isApiObject(construct));
    const all = [
      this.#definitions.get(`${object.apiGroup}/${object.kind}`),
      namespace === undefined ? undefined : this.#namespaces.get(namespace),
      ...declared,
    ];
    return [...new Set(all)].filter((each) => each !== undefined && each !== object) as ApiObject[];
  }
}

/** The state of a stack is no place for a key, encrypted or not: Secrets are made by who holds them, and referred to by name. */
function refuseSecretValue({ kind, apiVersion, data, stringData, metadata }: KubernetesObject, path: string) {
  if (kind !== 'Secret' || apiVersion !== 'v1' || (data === undefined && stringData === undefined)) return;
  throw new Error(
    `[${path}] Secret ${metadata.name} holds a value, which would be kept in the state of the stack: refer to it with secretRef('${metadata.name}') and create it outside of this program`,
  );
}
