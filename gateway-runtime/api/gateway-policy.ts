/**
 * GatewayPolicy (gatewright.dev/v1alpha1): what the platform forces on all that is served by a Gateway, a ListenerSet or one of their
 * listeners, and what routes have there that say nothing themselves. An inherited policy of GEP-713. Its CustomResourceDefinition is
 * this schema.
 */
import { definition, POLICY_STATUS } from './definition.ts';
import { durationMilliseconds, metadata } from './fields.ts';
import {
  bytes,
  httpsRedirect,
  minTlsVersion,
  networks,
  responseHeaders,
  says,
  targetRefs,
  timeLimit,
} from './policy-fields.ts';
import { anything, described, type Infer, object, oneOf, optional, rule, string } from './schema.ts';

const bytesInOrder = rule<{ default?: number; max?: number }>(
  {
    rule: '!has(self.default) || !has(self.max) || self.default <= self.max',
    message: 'default must be at most max',
  },
  ({ default: value, max }, field) =>
    value === undefined || max === undefined || value <= max
      ? undefined
      : { field: `${field}.default`, found: `${value}`, expected: `at most max, ${max}` },
);

const TIMES = ['min', 'default', 'max'] as const;
type Times = { [Name in (typeof TIMES)[number]]?: string };
const PAIRS = [
  ['min', 'default'],
  ['default', 'max'],
  ['min', 'max'],
] as const;
const timesInOrder = rule<Times>(
  {
    rule: PAIRS.map(
      ([low, high]) =>
        `(!has(self.${low}) || !has(self.${high}) || duration(self.${low}) <= duration(self.${high}))`,
    ).join(' && '),
    message: 'default must be from min to max',
  },
  (times, field) => {
    for (const [low, high] of PAIRS) {
      const [from, to] = [times[low], times[high]];
      if (from === undefined || to === undefined || durationMilliseconds(from) <= durationMilliseconds(to))
        continue;
      return { field: `${field}.${low}`, found: from, expected: `at most ${high}, ${to}` };
    }
    return undefined;
  },
);

/** What a GatewayPolicy may say, forced or by default. */
const FIELDS = [
  'httpsRedirect',
  'minTlsVersion',
  'maxRequestBytes',
  'requestTimeout',
  'responseHeaders',
  'ipAllow',
] as const;

const overrides = object(
  {
    httpsRedirect: optional(httpsRedirect()),
    minTlsVersion: optional(minTlsVersion()),
    maxRequestBytes: optional(
      bytes('The most octets that the body of a request has; routes may take less. Others are answered 413.'),
    ),
    requestTimeout: optional(
      timeLimit(
        'The longest that a request takes, from its head to the end of its answer; routes may take less.',
      ),
    ),
    responseHeaders: optional(responseHeaders()),
    ipAllow: optional(networks()),
  },
  {
    rules: [says(FIELDS)],
  },
);

const defaults = object(
  {
    httpsRedirect: optional(httpsRedirect()),
    minTlsVersion: optional(minTlsVersion()),
    maxRequestBytes: optional(
      object(
        {
          default: optional(bytes('Where the route says nothing.')),
          max: optional(bytes('The most that a route may say.')),
        },
        { rules: [says(['default', 'max']), bytesInOrder] },
      ),
    ),
    requestTimeout: optional(
      object(
        {
          default: optional(timeLimit('Where the route says nothing.')),
          min: optional(timeLimit('The least that a route may say.')),
          max: optional(timeLimit('The most that a route may say.')),
        },
        { rules: [says(TIMES), timesInOrder] },
      ),
    ),
    responseHeaders: optional(responseHeaders()),
    ipAllow: optional(networks()),
  },
  {
    rules: [says(FIELDS)],
  },
);

const spec = object(
  {
    targetRefs: targetRefs(['Gateway', 'ListenerSet'], 'One listener of it.'),
    overrides: optional(
      described('What holds whatever is said below: in listeners, routes and their policies.', overrides),
    ),
    defaults: optional(
      described('What holds where nothing is said below, and the bounds of what may be said.', defaults),
    ),
  },
  { rules: [says(['overrides', 'defaults'])] },
);

export const gatewayPolicy = object({
  apiVersion: string(),
  kind: oneOf(['GatewayPolicy']),
  metadata,
  spec,
  status: optional(anything()),
});
export type GatewayPolicySpec = Infer<typeof spec>;

export const GATEWAY_POLICY_VERSION = 'v1alpha1';
export const GATEWAY_POLICY_PLURAL = 'gatewaypolicies';

export const GATEWAY_POLICY_DEFINITION = definition({
  kind: 'GatewayPolicy',
  plural: GATEWAY_POLICY_PLURAL,
  singular: 'gatewaypolicy',
  version: GATEWAY_POLICY_VERSION,
  description:
    'What is forced on all that a Gateway or ListenerSet of the namespace serves, and what routes have there by default.',
  spec,
  status: POLICY_STATUS,
});
