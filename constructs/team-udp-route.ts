import type { Construct } from 'constructs';
import { ForwardingRoute } from './forwarding-route.ts';
import type { OnOf, OnProp } from './granted.ts';
import { PORT_ATTACHMENT_OPTIONS, type PortAttachmentOptions } from './route-attachment.ts';

export type TeamUdpRouteProps<On, Scope> = OnProp<On, 'UDPRoute', Scope> &
  PortAttachmentOptions<OnOf<On, Scope>>;

/**
 * A UDPRoute of a team, on a listener made with `udp()` that the team was granted: all datagrams that come to its port. Errors are told at synth,
 * with the path of the construct; so is, as a warning, that the runtime does not serve it yet.
 */
export class TeamUdpRoute<
  const On = unknown,
  Scope extends Construct = Construct,
> extends ForwardingRoute<Scope> {
  constructor(scope: Scope, id: string, given: TeamUdpRouteProps<On, Scope>) {
    super(scope, id, { kind: 'UDPRoute', given, options: PORT_ATTACHMENT_OPTIONS });
  }
}
