import { Construct } from 'constructs';
import { apiBackend } from './backend.ts';
import { requireChecks } from './checks.ts';
import { foreignServices, serviceProblems, servicesOf, strangerProblems } from './destinations.ts';
import type { DestinationWithin } from './granted.ts';
import { read, type Shape } from './props.ts';
import { teamOf } from './role.ts';
import { type AnyAttachmentOptions, RouteAttachment } from './route-attachment.ts';
import type { RouteKind } from './route-kind.ts';
import { routeObject, unservedWarnings } from './route-object.ts';
import type { Destination } from './rule.ts';
import { WARNINGS } from './synth-hooks.ts';

interface ForwardingProps {
  readonly kind: RouteKind;
  readonly given: unknown;
  /** What it may say of its attachment. */
  readonly options: Partial<Shape<AnyAttachmentOptions>>;
}

/** What TLSRoutes, TCPRoutes and UDPRoutes have in common: one rule, which sends what comes to backends as it is. */
export abstract class ForwardingRoute<Scope extends Construct> extends Construct {
  readonly name: string;
  /** The namespace of the team. */
  readonly namespace: string;
  readonly #kind: RouteKind;
  #destinations: readonly unknown[] = [];

  /** @internal */
  readonly _attachment: RouteAttachment;

  constructor(scope: Scope, id: string, { kind, given, options }: ForwardingProps) {
    super(scope, id);
    const call = `Team${kind[0]}${kind.slice(1, 3).toLowerCase()}Route`;
    const { props, problems } = read(call, given, options as Shape<AnyAttachmentOptions>);
    const attachment = new RouteAttachment(this, kind, props);
    this.#kind = kind;
    this._attachment = attachment;
    this.name = attachment.name;
    this.namespace = attachment.namespace;
    requireChecks(this, () => [...problems, ...attachment.problems(), ...this.#problems()]);
    routeObject(this, kind, attachment, () => [
      {
        backendRefs: servicesOf(this.#destinations).map((each) => ({
          group: '',
          kind: 'Service',
          ...apiBackend(each, this.namespace),
        })),
      },
    ]);
  }

  /** Sends what comes to these backends, by their weights. */
  to<const To extends readonly Destination[]>(
    ...backends: { readonly [Index in keyof To]: DestinationWithin<To[Index], To, Scope> }
  ): this {
    this.#destinations = backends;
    return this;
  }

  /** @internal */
  [WARNINGS](): string[] {
    return unservedWarnings(this.#kind, 'what comes to its listeners is served by a gateway of another make');
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
        ({ name }) => `service ${name}: what a ${this.#kind} passes on can't be filtered: leave filters out`,
      ),
      ...(team && problems.length === 0 ? foreignServices(backends, [], team, this.#kind) : []),
    ];
  }
}
