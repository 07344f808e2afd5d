import type { Construct } from 'constructs';
import { ForwardingRoute } from './forwarding-route.ts';
import type { OnOf, OnProp } from './granted.ts';
import { PORT_ATTACHMENT_OPTIONS, type PortAttachmentOptions } from './route-attachment.ts';

export type TeamTcpRouteProps<On, Scope> = OnProp<On, 'TCPRoute', Scope> &
  PortAttachmentOptions<OnOf<On, Scope>>;

/**
 * A TCPRoute of a team, on a listener made with `tcp()` that the team was granted: all connections that come to its port. Errors are told at synth,
 * with the path of the construct; so is, as a warning, that the runtime does not serve it yet.
 */
export class TeamTcpRoute<
  const On = unknown,
  Scope extends Construct = Construct,
> extends ForwardingRoute<Scope> {
  constructor(scope: Scope, id: string, given: TeamTcpRouteProps<On, Scope>) {
    super(scope, id, { kind: 'TCPRoute', given, options: PORT_ATTACHMENT_OPTIONS });
  }
}
