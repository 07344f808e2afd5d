/** The CustomResourceDefinitions that a cluster needs for our own kinds. */
import { GATEWAY_PARAMETERS_DEFINITION } from './gateway-parameters.ts';
import { GATEWAY_POLICY_DEFINITION } from './gateway-policy.ts';
import { GRANT_DEFINITION } from './grant.ts';
import { ROUTE_POLICY_DEFINITION } from './route-policy.ts';

export const OWN_DEFINITIONS = [
  GATEWAY_PARAMETERS_DEFINITION,
  GRANT_DEFINITION,
  GATEWAY_POLICY_DEFINITION,
  ROUTE_POLICY_DEFINITION,
];
