/** GatewayParameters that a GatewayClass or a Gateway refers to, and what they say together. */
import { type GatewayParametersSpec, PARAMETERS_KIND } from '../api/gateway-parameters.ts';
import type { KindObject } from '../api/kinds.ts';
import { OWN_GROUP } from '../api/names.ts';
import { type Finding, named } from './findings.ts';
import type { Objects } from './objects.ts';

interface Reference {
  readonly group: string;
  readonly kind: string;
  readonly name: string;
  readonly namespace?: string;
}

/** Undefined where they can be used. `field` is that of the reference; where it has no namespace of its own, it is `namespace`. */
export function parametersProblem(
  { group, kind, name, ...reference }: Reference,
  field: string,
  namespace: string | undefined,
  objects: Objects,
): Finding | undefined {
  const problem = (at: string, message: string, fix: string): Finding => ({
    reason: 'InvalidParameters',
    field: at,
    message,
    fix,
  });
  if (!isParameters({ group, kind, name })) {
    return problem(
      field,
      `found ${kind} of group ${group || '""'}, expected ${PARAMETERS_KIND} of group ${OWN_GROUP}`,
      'refer to one of those, or remove the reference',
    );
  }
  const home = reference.namespace ?? namespace;
  if (home === undefined) {
    return problem(
      `${field}.namespace`,
      `found nothing, expected the namespace of ${PARAMETERS_KIND} ${name}`,
      'add it',
    );
  }
  const ref = { group, kind, namespace: home, name };
  if (objects.get(PARAMETERS_KIND, home, name)) return undefined;
  return objects.isRefused(PARAMETERS_KIND, home, name)
    ? { ...problem(field, `${named(ref)} is not valid`, 'see what is wrong with it'), related: [ref] }
    : problem(`${field}.name`, `${named(ref)} does not exist`, 'create it, or correct the reference');
}

/** "It is generally recommended that GatewayClass provides defaults that can be overridden by a Gateway" (parametersRef). */
function mergedParameters(
  ofClass: GatewayParametersSpec | undefined,
  ofGateway: GatewayParametersSpec | undefined,
): GatewayParametersSpec | undefined {
  if (!ofClass || !ofGateway) return ofGateway ?? ofClass;
  const { service: base, autoscaling, ...defaults } = ofClass;
  const { service, ...own } = ofGateway;
  const annotations = { ...base?.annotations, ...service?.annotations };
  return {
    ...defaults,
    // A number of data planes is another answer to the same question.
    ...(autoscaling && own.replicas === undefined ? { autoscaling } : {}),
    ...own,
    ...(base || service
      ? {
          service: { ...base, ...service, ...(Object.keys(annotations).length > 0 ? { annotations } : {}) },
        }
      : {}),
  };
}

/** What there is for a Gateway of a class. References that can't be used add nothing. */
export function parametersOf(
  gateway: KindObject<'Gateway'>,
  objects: Objects,
): GatewayParametersSpec | undefined {
  const { gatewayClassName, infrastructure } = gateway.spec;
  const at = (ref: Reference | undefined, namespace: string | undefined) =>
    ref && namespace !== undefined && isParameters(ref)
      ? objects.get(PARAMETERS_KIND, namespace, ref.name)?.spec
      : undefined;
  const ofClass = objects.get('GatewayClass', '', gatewayClassName)?.spec.parametersRef;
  return mergedParameters(
    at(ofClass, ofClass?.namespace),
    at(infrastructure?.parametersRef, gateway.metadata.namespace ?? 'default'),
  );
}

const isParameters = ({ group, kind }: Reference) => group === OWN_GROUP && kind === PARAMETERS_KIND;
