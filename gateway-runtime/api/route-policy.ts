/**
 * RoutePolicy (gatewright.dev/v1alpha1): what a team says of its routes, or of one rule by name, beside the API's own fields. What the
 * platform forces by GatewayPolicies it can narrow and not widen. Its CustomResourceDefinition is this schema.
 */
import { definition, POLICY_STATUS } from './definition.ts';
import { metadata } from './fields.ts';
import {
  bytes,
  httpsRedirect,
  networks,
  responseHeaders,
  says,
  targetRefs,
  timeLimit,
} from './policy-fields.ts';
import { anything, type Infer, object, oneOf, optional, string } from './schema.ts';

const values = {
  httpsRedirect: optional(httpsRedirect()),
  maxRequestBytes: optional(
    bytes('The most octets that the body of a request has. Others are answered 413.'),
  ),
  requestTimeout: optional(
    timeLimit('The longest that a request takes, for rules without timeouts.request of their own.'),
  ),
  responseHeaders: optional(responseHeaders()),
  ipAllow: optional(networks()),
};
const spec = object(
  { targetRefs: targetRefs(['HTTPRoute'], 'One rule of it, by name.'), ...values },
  { rules: [says(Object.keys(values))] },
);

export const routePolicy = object({
  apiVersion: string(),
  kind: oneOf(['RoutePolicy']),
  metadata,
  spec,
  status: optional(anything()),
});
export type RoutePolicySpec = Infer<typeof spec>;

export const ROUTE_POLICY_VERSION = 'v1alpha1';
export const ROUTE_POLICY_PLURAL = 'routepolicies';

export const ROUTE_POLICY_DEFINITION = definition({
  kind: 'RoutePolicy',
  plural: ROUTE_POLICY_PLURAL,
  singular: 'routepolicy',
  version: ROUTE_POLICY_VERSION,
  description: 'What a team says of its HTTPRoutes in this namespace, within what the platform lets it.',
  spec,
  status: POLICY_STATUS,
});
