/** Kubernetes objects as constructs. */
import { ApiObject, type ApiObjectProps, JsonPatch, Lazy } from 'cdk8s';
import type { Construct } from 'constructs';
import { KINDS, parse } from '../gateway-runtime/api/kinds.ts';

export interface GatewayObjectProps {
  readonly kind:
    | 'GatewayClass'
    | 'Gateway'
    | 'ListenerSet'
    | 'HTTPRoute'
    | 'TLSRoute'
    | 'ReferenceGrant'
    | 'GatewayParameters'
    | 'GatewayPolicy'
    | 'RoutePolicy'
    | 'Grant';
  readonly name: string;
  /** @default - none: the kind is cluster-scoped */
  readonly namespace?: string;
  readonly labels?: Record<string, string>;
  readonly annotations?: Readonly<Record<string, string>>;
  /** Asked for at synth, when all that adds to the object has been said. */
  readonly spec: () => Record<string, unknown>;
}

/**
 * An object of Gateway API, or of ours, with every default of the API server written out, so that what is applied is what is read back, and
 * a diff shows nothing but changes. A spec that breaks a field rule is left as it is; the checks report it.
 */
export function gatewayObject(scope: Construct, id: string, props: GatewayObjectProps): ApiObject {
  const { kind, name, namespace, labels, annotations } = props;
  const head = {
    apiVersion: `${KINDS[kind].group}/${KINDS[kind].versions[0]}`,
    kind,
    metadata: { name, namespace, labels, annotations },
  };
  const spec = Lazy.any({
    produce: () => {
      // Absent and undefined are the same in an object that is written out, but not to a schema.
      const raw = { ...head, spec: JSON.parse(JSON.stringify(props.spec())) };
      const parsed = parse(raw);
      return parsed.outcome === 'known' ? (parsed.object as { spec?: unknown }).spec : raw.spec;
    },
  });
  const object = { ...head, spec };
  return namespace === undefined ? clusterObject(scope, id, object) : new ApiObject(scope, id, object);
}

/** An object of a cluster-scoped kind: a chart's namespace must not be written into it. */
export function clusterObject(scope: Construct, id: string, props: ApiObjectProps): ApiObject {
  const object = new ApiObject(scope, id, props);
  if (object.metadata.namespace !== undefined) object.addJsonPatch(JsonPatch.remove('/metadata/namespace'));
  return object;
}
