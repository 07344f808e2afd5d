/** Everything that a Gateway needs around it, as objects. The same Infrastructure gives the same objects. */
import { GATEWAY_GROUP, GATEWAY_VERSION } from '../../api/names.ts';
import { contentHash } from '../../snapshot/canonical.ts';
import type { Infrastructure } from '../../translate/translation.ts';
import { disruptionBudgetSpec, scalerSpec } from './availability.ts';
import { deploymentSpec } from './deployment.ts';
import { apiVersionOf, type GeneratedKind, type GeneratedObject } from './kinds.ts';
import { APPLIED_ANNOTATION, BUNDLE_FILE, gatewayLabels, generatedName, selectorLabels } from './names.ts';
import { serviceSpec } from './services.ts';

/** What is the same for all Gateways. */
export interface Surroundings {
  readonly image: string;
  readonly controlPlane: { readonly host: string; readonly port: number };
  /** Authorities that data planes trust, PEM. */
  readonly bundle: string;
}

/** In the order in which they are made: what a pod needs to start comes before it. */
export function generatedObjects(needs: Infrastructure, surroundings: Surroundings): GeneratedObject[] {
  const { parameters } = needs;
  return [
    generated('ServiceAccount', needs, { automountServiceAccountToken: false }),
    generated('ConfigMap', needs, { data: { [BUNDLE_FILE]: surroundings.bundle } }),
    generated('Service', needs, { spec: serviceSpec(needs) }, parameters?.service?.annotations),
    generated('PodDisruptionBudget', needs, { spec: disruptionBudgetSpec(needs) }),
    generated('Deployment', needs, { spec: deploymentSpec(needs, surroundings) }),
    ...(parameters?.autoscaling
      ? [generated('HorizontalPodAutoscaler', needs, { spec: scalerSpec(needs, parameters.autoscaling) })]
      : []),
  ];
}

function generated(
  kind: GeneratedKind,
  needs: Infrastructure,
  content: Readonly<Record<string, unknown>>,
  annotations: Readonly<Record<string, string>> = {},
): GeneratedObject {
  const { gateway, className, uid } = needs;
  const object = {
    apiVersion: apiVersionOf(kind),
    kind,
    metadata: {
      name: generatedName(gateway.name, className),
      namespace: gateway.namespace,
      labels: { ...needs.labels, ...gatewayLabels(gateway), ...selectorLabels(gateway, className) },
      annotations: { ...needs.annotations, ...annotations },
      // The Gateway is not kept until they are gone: that would need a right on its finalizers.
      ownerReferences: uid
        ? [
            {
              apiVersion: `${GATEWAY_GROUP}/${GATEWAY_VERSION}`,
              kind: 'Gateway',
              name: gateway.name,
              uid,
              controller: true,
            },
          ]
        : [],
    },
    ...content,
  };
  const { metadata } = object;
  const applied = { [APPLIED_ANNOTATION]: contentHash(object).slice(0, 16) };
  return { ...object, metadata: { ...metadata, annotations: { ...metadata.annotations, ...applied } } };
}
