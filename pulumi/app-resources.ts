/**
 * The objects of a cdk8s app as Pulumi resources: one component, and one resource for each object, named as the cluster knows it.
 * A construct that is renamed or moved is no change then; named by construct path it would be created over, and then deleted
 * with, the live object.
 */
import { CustomResource } from '@pulumi/kubernetes/apiextensions/customResource.js';
import { Secret } from '@pulumi/kubernetes/core/v1/secret.js';
import { ComponentResource, type ComponentResourceOptions, log, type Resource, secret } from '@pulumi/pulumi';
import { ApiObject, type App } from 'cdk8s';
import { synthesize } from '../constructs/index.ts';
import { type KubernetesObject, nameOf, otherTypesOf } from './kubernetes-object.ts';
import { definedBy, Needs } from './needs.ts';

/** The certificate and the key of a Secret of type kubernetes.io/tls, in PEM. */
export interface TlsPair {
  readonly certificate: string;
  readonly key: string;
}

export interface AppResourcesProps {
  readonly app: App;
  /**
   * CRDs that the objects of the app need, and what comes with them. The cluster keeps them where they are taken out of the
   * stack: with a CRD go the objects of everyone.
   * @default - the cluster has them
   */
  readonly definitions?: readonly KubernetesObject[];
  /**
   * Certificates by `namespace/name` of their Secret; their keys are secrets of the stack.
   * @default - the Secrets that the app refers to are made by others
   */
  readonly certificates?: ReadonlyMap<string, TlsPair>;
}

export class AppResources extends ComponentResource {
  /** By `kind/namespace/name`, or `kind/name` for what has no namespace. */
  readonly resources: ReadonlyMap<string, Resource>;
  /** The objects of the app, in its order. */
  readonly objects: readonly KubernetesObject[];

  /** Throws where the app has errors, as any synth does, and where it holds the value of a Secret. */
  constructor(name: string, props: AppResourcesProps, options: ComponentResourceOptions = {}) {
    super('gatewright:index:AppResources', name, {}, options);
    const { app, definitions = [], certificates = new Map() } = props;
    for (const { path, message } of synthesize(app).warnings) log.warn(`[${path}] ${message}`, this);
    const resources = new Map<string, Resource>();
    const defined = new Map<string, Resource>();
    for (const object of definitions) {
      const resource = this.#make(object, { retainOnDelete: true });
      resources.set(nameOf(object), resource);
      const kind = definedBy(object);
      if (kind) defined.set(kind, resource);
    }

    const constructs = app.node.findAll().filter((construct) => ApiObject.isApiObject(construct));
    const objects = new Map(constructs.map((each) => [each, each.toJson() as KubernetesObject]));
    const needs = new Needs(objects, defined);
    const made = new Map<ApiObject, Resource>();
    const make = (construct: ApiObject): Resource => {
      const known = made.get(construct);
      if (known) return known;
      const object = objects.get(construct)!;
      refuseSecretValue(object, construct.node.path);
      const resource = this.#make(object, { dependsOn: needs.of(construct, make) });
      made.set(construct, resource);
      resources.set(nameOf(object), resource);
      return resource;
    };
    for (const construct of constructs) make(construct);
    this.objects = [...objects.values()];

    for (const [reference, pair] of certificates) {
      const resource = this.#certificate(reference, pair, needs.namespace(reference.split('/')[0]!, make));
      resources.set(`Secret/${reference}`, resource);
    }
    this.resources = resources;
    this.registerOutputs();
  }

  #make(object: KubernetesObject, options: { dependsOn?: Resource[]; retainOnDelete?: boolean }): Resource {
    const aliases = otherTypesOf(object).map((type) => ({ type }));
    return new CustomResource(nameOf(object), object, { parent: this, aliases, ...options });
  }

  /** By its own class, which keeps what it holds out of every output: a CustomResource would show it. */
  #certificate(reference: string, { certificate, key }: TlsPair, dependsOn: Resource[]): Resource {
    const [namespace, name] = reference.split('/') as [string, string];
    return new Secret(
      `Secret/${reference}`,
      {
        metadata: { namespace, name },
        type: 'kubernetes.io/tls',
        stringData: { 'tls.crt': certificate, 'tls.key': secret(key) },
      },
      { parent: this, dependsOn },
    );
  }
}

/** An object of the app goes into the stack as it is, and so would the key: those come by the configuration, or not at all. */
function refuseSecretValue({ kind, apiVersion, data, stringData, metadata }: KubernetesObject, path: string) {
  if (kind !== 'Secret' || apiVersion !== 'v1' || (data === undefined && stringData === undefined)) return;
  throw new Error(
    `[${path}] Secret ${metadata.name} holds a value, which would be kept in the clear in the state of the stack: refer to it with secretRef('${metadata.name}'), and create it outside of this program or by the secret configuration gatewright:certificates`,
  );
}
