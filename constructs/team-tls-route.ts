import type { Construct } from 'constructs';
import { ForwardingRoute } from './forwarding-route.ts';
import type { OnOf, OnProp } from './granted.ts';
import { ATTACHMENT_OPTIONS, type AttachmentOptions } from './route-attachment.ts';

export type TeamTlsRouteProps<On, Hosts extends readonly string[], Scope> = OnProp<On, 'TLSRoute', Scope> &
  AttachmentOptions<OnOf<On, Scope>, Hosts>;

/**
 * A TLSRoute of a team, on what the team was granted for this kind: connections by the server name of their handshake, which go to the backends
 * as they are, encrypted. It attaches to listeners made with `tls()`. Errors are told at synth, with the path of the construct.
 */
export class TeamTlsRoute<
  const On = unknown,
  const Hosts extends readonly string[] = readonly string[],
  Scope extends Construct = Construct,
> extends ForwardingRoute<Scope> {
  readonly hostnames: readonly string[];

  constructor(scope: Scope, id: string, given: TeamTlsRouteProps<On, Hosts, Scope>) {
    super(scope, id, { kind: 'TLSRoute', given, options: ATTACHMENT_OPTIONS });
    this.hostnames = this._attachment.hostnames;
  }
}
