import { ApiObject, Lazy } from 'cdk8s';
import type { Construct } from 'constructs';
import { KINDS } from '../gateway-runtime/api/kinds.ts';
import { GATEWAY_GROUP } from '../gateway-runtime/api/names.ts';
import { gatewayObject } from './api-object.ts';
import type { RouteAttachment } from './route-attachment.ts';
import type { RouteKind } from './route-kind.ts';

const isRead = (kind: RouteKind): kind is RouteKind & keyof typeof KINDS => Object.hasOwn(KINDS, kind);

/**
 * A route of any kind. No schema writes the defaults of a kind that is not read, so here the rules have them written out.
 *
 * @param rules Asked for at synth.
 */
export function routeObject(
  scope: Construct,
  kind: RouteKind,
  attachment: RouteAttachment,
  rules: () => readonly object[],
): void {
  const { name, namespace } = attachment;
  if (isRead(kind)) {
    const spec = () => ({ ...attachment.spec, rules: rules() });
    gatewayObject(scope, 'Resource', { kind, name, namespace, spec });
    return;
  }
  new ApiObject(scope, 'Resource', {
    apiVersion: `${GATEWAY_GROUP}/v1`,
    kind,
    metadata: { name, namespace },
    spec: Lazy.any({
      produce: () => {
        const { parentRefs, hostnames } = attachment.spec;
        return {
          parentRefs: parentRefs.map((each) => ({ group: GATEWAY_GROUP, ...each })),
          hostnames,
          rules: rules(),
        };
      },
    }),
  });
}

/** What is told of routes of a kind that other gateways serve, and ours does not. */
export const unservedWarnings = (kind: RouteKind, what: string): string[] =>
  isRead(kind) ? [] : [`Gatewright does not serve ${kind}s yet: ${what}.`];
