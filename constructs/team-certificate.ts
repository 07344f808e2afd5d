import { Construct } from 'constructs';
import { gatewayObject } from './api-object.ts';
import {
  type Attachment,
  foreignProblem,
  hostnameProblem,
  isAttachment,
  type ListenerPlace,
  type ParentRef,
} from './attachment.ts';
import { requireChecks } from './checks.ts';
import { type ListenerEntry, listenerEntry, sectionName } from './gateway.ts';
import type { CertifiedOnProp, HostnameWithin, HostsOf, OnOf, SecretsOf } from './granted.ts';
import { sameNamespace } from './listener.ts';
import { nameProblem } from './naming.ts';
import { addOwnPlaces } from './own-listeners.ts';
import { anything, found, optional, read, record, type Shape, text, texts } from './props.ts';
import { hostnamesText, missingGrant, onOf, ownCertificatesText, teamOf } from './role.ts';
import { PROTOCOLS, type RouteKind } from './route-kind.ts';

export type TeamCertificateProps<On, Hosts extends readonly string[], Scope> = CertifiedOnProp<On, Scope> &
  TeamCertificateOptions<OnOf<On, Scope>, Hosts>;

export interface TeamCertificateOptions<On, Hosts extends readonly string[]> {
  /**
   * The hostnames that the certificate is for, each inside the grant.
   * @default - every hostname of the grant
   */
  readonly hostnames?: { readonly [Index in keyof Hosts]: HostnameWithin<Hosts[Index], HostsOf<On>> };
  /**
   * The Secret of type kubernetes.io/tls in the team's namespace that has the certificate, or will have it. It is one of those that the grant
   * names.
   * @default - the only one that the grant names
   */
  readonly secret?: SecretsOf<On>;
  /**
   * Of the ListenerSet, for what makes certificates: `{ 'cert-manager.io/issuer': 'letsencrypt' }`.
   * @default - none
   */
  readonly annotations?: Readonly<Record<string, string>>;
  /**
   * The name of the ListenerSet.
   * @default - the id of the construct
   */
  readonly name?: string;
}

interface AnyProps extends Omit<TeamCertificateOptions<unknown, readonly string[]>, 'hostnames' | 'secret'> {
  readonly on?: unknown;
  readonly hostnames?: readonly string[];
  readonly secret?: string;
}

const PROPS: Shape<AnyProps> = {
  on: optional(anything),
  hostnames: optional(texts),
  secret: optional(text),
  annotations: optional(record('texts by name', text)),
  name: optional(text),
};

/**
 * A certificate that a team brings for hostnames that it was granted: a ListenerSet in its namespace, with a listener for each of the hostnames at
 * each HTTPS listener of the grant. Routes on the grant attach to it by themselves. Until the Secret is there the listeners are not
 * served, as their status says; a new certificate in it is served without a restart. Errors are told at synth, with the path of the construct.
 */
export class TeamCertificate<
  const On = unknown,
  const Hosts extends readonly string[] = readonly string[],
  Scope extends Construct = Construct,
> extends Construct {
  /** The name of the ListenerSet. */
  readonly name: string;
  /** The namespace of the team. */
  readonly namespace: string;
  readonly hostnames: readonly string[];
  readonly #on: unknown;
  readonly #grant: Attachment | undefined;
  readonly #secret: string | undefined;

  constructor(scope: Scope, id: string, given: TeamCertificateProps<On, Hosts, Scope>) {
    super(scope, id);
    const { props, problems } = read<AnyProps>('TeamCertificate', given, PROPS);
    const { secret, annotations, on = onOf(this) } = props;
    this.#on = on;
    this.#grant = isAttachment(on) ? on : undefined;
    this.name = props.name ?? id;
    this.namespace = this.#grant?.team?.namespace ?? teamOf(this)?.namespace ?? 'default';
    this.hostnames = props.hostnames ?? this.#grant?.hostnames ?? [];
    this.#secret =
      secret ?? (this.#grant?.ownCertificates.length === 1 ? this.#grant.ownCertificates[0] : undefined);
    requireChecks(this, () => [...problems, ...this.#problems(secret)]);
    if (!this.#grant) return;
    addOwnPlaces(this, this.#grant, () => this.#places());
    gatewayObject(this, 'Resource', {
      kind: 'ListenerSet',
      name: this.name,
      namespace: this.namespace,
      ...(annotations && { annotations }),
      spec: () => ({ parentRef: this.#gateway, listeners: this.#entries() }),
    });
  }

  get #gateway(): Pick<ParentRef, 'namespace' | 'name'> {
    const [namespace, name] = this.#grant!.gatewayName.split('/') as [string, string];
    return { namespace, name };
  }

  #entries(): ListenerEntry[] {
    const certificates = this.#secret === undefined ? [] : [{ kind: 'Secret' as const, name: this.#secret }];
    return this.#perListener(({ listener, port }, hostname) =>
      listenerEntry(
        { protocol: 'HTTPS', port, certificates },
        {
          name: sectionName(listener, hostname),
          hostname,
          routes: sameNamespace(),
          kinds: this.#kinds,
        },
      ),
    );
  }

  #places(): ListenerPlace[] {
    const { name, namespace } = this;
    return this.#perListener(({ listener }, hostname) => ({
      kind: 'ListenerSet',
      namespace,
      name,
      sectionName: sectionName(listener, hostname),
      listener,
      hostname,
      kinds: this.#kinds,
    }));
  }

  get #kinds(): RouteKind[] {
    return this.#grant!.kinds.filter((kind) => PROTOCOLS[kind].includes('HTTPS'));
  }

  #perListener<T>(make: (listener: Attachment['ownListeners'][number], hostname: string) => T): T[] {
    return this.#grant!.ownListeners.flatMap((listener) =>
      this.hostnames.map((hostname) => make(listener, hostname)),
    );
  }

  #problems(secret: string | undefined): string[] {
    const grant = this.#grant;
    if (!grant) return [`a certificate is for a grant, not for ${found(this.#on)}: name one in on`];
    const { title, gatewayName, ownCertificates } = grant;
    const own = teamOf(this);
    const foreign = foreignProblem(grant, own, this.hostnames);
    if (foreign) return [foreign];
    const team = (own ?? grant.team)?.name;
    if (ownCertificates.length === 0) {
      const missing = team ? `. ${missingGrant(ownCertificatesText(this.hostnames), gatewayName, team)}` : '';
      return [
        `${title} is not for certificates of the team, the platform brings those of its listeners${missing}`,
      ];
    }
    const count = this.hostnames.length * grant.ownListeners.length;
    return [
      ...nameProblem('ListenerSet', this.name),
      ...this.hostnames.flatMap((host, index) => {
        const problem = hostnameProblem(host, [grant]);
        return problem === undefined ? [] : [`hostnames[${index}]: ${problem}`];
      }),
      ...(secret === undefined && ownCertificates.length > 1
        ? [
            `${title} names several Secrets: name one of them in secret (granted: ${ownCertificates.join(', ')})`,
          ]
        : []),
      ...(secret !== undefined && !ownCertificates.includes(secret)
        ? [
            `secret: ${secret} is not one that ${title} lets the gateway read (granted: ${ownCertificates.join(', ')}). ` +
              missingGrant(
                `Secret ${secret} in ownCertificates for ${hostnamesText(this.hostnames)}`,
                gatewayName,
                team ?? '',
              ),
          ]
        : []),
      ...(count > 64
        ? [
            `${this.hostnames.length} hostnames at ${grant.ownListeners.length} listeners are ${count} entries, and a ListenerSet holds 64: write some in another TeamCertificate`,
          ]
        : []),
    ];
  }
}
