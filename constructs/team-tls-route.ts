import { Construct } from 'constructs';
import { gatewayObject } from './api-object.ts';
import { apiBackend } from './backend.ts';
import { requireChecks } from './checks.ts';
import { foreignServices, serviceProblems, servicesOf, strangerProblems } from './destinations.ts';
import type { DestinationWithin, OnOf, OnProp } from './granted.ts';
import { read } from './props.ts';
import { teamOf } from './role.ts';
import { ATTACHMENT_OPTIONS, type AttachmentOptions, RouteAttachment } from './route-attachment.ts';
import type { Destination } from './rule.ts';

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
> extends Construct {
  readonly name: string;
  /** The namespace of the team. */
  readonly namespace: string;
  readonly hostnames: readonly string[];
  #destinations: readonly unknown[] = [];

  constructor(scope: Scope, id: string, given: TeamTlsRouteProps<On, Hosts, Scope>) {
    super(scope, id);
    const { props, problems } = read('TeamTlsRoute', given, ATTACHMENT_OPTIONS);
    const attachment = new RouteAttachment(this, 'TLSRoute', props);
    const { name, namespace, hostnames } = attachment;
    this.name = name;
    this.namespace = namespace;
    this.hostnames = hostnames;
    requireChecks(this, () => [...problems, ...attachment.problems(), ...this.#problems()]);
    gatewayObject(this, 'Resource', {
      kind: 'TLSRoute',
      name,
      namespace,
      spec: () => ({
        ...attachment.spec,
        rules: [{ backendRefs: servicesOf(this.#destinations).map((each) => apiBackend(each, namespace)) }],
      }),
    });
  }

  /** Sends the connections to these backends, by their weights. */
  to<const To extends readonly Destination[]>(
    ...backends: { readonly [Index in keyof To]: DestinationWithin<To[Index], To, Scope> }
  ): this {
    this.#destinations = backends;
    return this;
  }

  #problems(): string[] {
    if (this.#destinations.length === 0) return ['it goes nowhere: end it with .to(service(name, port))'];
    const backends = servicesOf(this.#destinations);
    const problems = [...strangerProblems(this.#destinations), ...serviceProblems(backends)];
    const filtered = backends.filter(({ filters }) => filters !== undefined);
    const team = teamOf(this);
    return [
      ...problems,
      ...filtered.map(
        ({ name }) => `service ${name}: what a TLSRoute passes on can't be filtered: leave filters out`,
      ),
      ...(team && problems.length === 0 ? foreignServices(backends, [], team, 'TLSRoute') : []),
    ];
  }
}
