/**
 * Certificates of clients (GEP-91, Gateway.spec.tls.frontend): what the HTTPS listeners of a Gateway and of its ListenerSets ask of them,
 * by port, since a connection that was made for one listener of a port can be used for another.
 */
import type { KindObject } from '../api/kinds.ts';
import { GATEWAY_GROUP } from '../api/names.ts';
import { contentHash } from '../snapshot/canonical.ts';
import type { CaBundle, ClientCertificates } from '../snapshot/snapshot.ts';
import type { CaBundles, CaProblem } from './ca-bundles.ts';
import type { Finding } from './findings.ts';
import type { DeclaredListener } from './listeners.ts';

type Gateway = KindObject<'Gateway'>;
type Validation = NonNullable<
  NonNullable<NonNullable<Gateway['spec']['tls']>['frontend']>['default']['validation']
>;

interface Asked {
  /** In the Gateway. */
  readonly field: string;
  readonly mode: ClientCertificates['mode'];
  readonly authorities: readonly CaBundle[];
  readonly problems: readonly Finding[];
  /** Where there is no authority at all. */
  readonly refusal?: Finding;
}

const REASONS = {
  kind: 'InvalidCACertificateKind',
  'not-permitted': 'RefNotPermitted',
  object: 'InvalidCACertificateRef',
} as const satisfies Record<CaProblem['cause'], Finding['reason']>;

export class FrontendTls {
  readonly #spec: NonNullable<Gateway['spec']['tls']>['frontend'];
  readonly #namespace: string;
  readonly #bundles: CaBundles;
  /** By field. */
  readonly #asked = new Map<string, Asked>();
  /** ConfigMaps that it refers to and may refer to, by `namespace/name`. */
  readonly configMaps = new Set<string>();

  constructor(namespace: string, { spec }: Gateway, bundles: CaBundles) {
    this.#spec = spec.tls?.frontend;
    this.#namespace = namespace;
    this.#bundles = bundles;
  }

  /** Where clients without a valid certificate are let in: what the Gateway says of it in a condition. */
  get insecure(): readonly string[] {
    const { default: byDefault, perPort = [] } = this.#spec ?? { default: {} };
    return [
      ...(isInsecure(byDefault.validation) ? ['by default'] : []),
      ...perPort.flatMap(({ port, tls }) => (isInsecure(tls.validation) ? [`on port ${port}`] : [])),
    ];
  }

  /** A listener with what the Gateway asks of its clients. One that was told to ask is never served without. */
  applyTo(listener: DeclaredListener): DeclaredListener {
    const asked = listener.protocol === 'HTTPS' ? this.#askedAt(listener.port) : undefined;
    if (!asked) return listener;
    const { mode, authorities, problems, refusal } = asked;
    const isOwn = listener.home.kind === 'Gateway';
    const told = (finding: Finding): Finding => (isOwn ? finding : ofTheGateway(finding, listener.field));
    const unresolved = [...listener.unresolved, ...(isOwn ? problems : problems.slice(0, 1).map(told))];
    const { resource } = listener;
    return {
      ...listener,
      authorities,
      ...(resource && authorities.length > 0 ? { resource: asking(resource, mode, authorities) } : {}),
      ...(refusal && !listener.unsupported ? { unsupported: told(refusal) } : {}),
      unresolved,
    };
  }

  #askedAt(port: number): Asked | undefined {
    const spec = this.#spec;
    if (!spec) return undefined;
    // "Once set this configuration overrides the default configuration", also with nothing in it (FrontendTLSConfig.perPort).
    const index = (spec.perPort ?? []).findIndex((each) => each.port === port);
    const [tls, field] =
      index >= 0
        ? [spec.perPort![index]!.tls, `spec.tls.frontend.perPort[${index}].tls.validation`]
        : [spec.default, 'spec.tls.frontend.default.validation'];
    if (!tls.validation) return undefined;
    const known = this.#asked.get(field);
    if (known) return known;
    const asked = this.#resolve(tls.validation, field);
    this.#asked.set(field, asked);
    return asked;
  }

  #resolve({ mode, caCertificateRefs }: Validation, field: string): Asked {
    const from = { group: GATEWAY_GROUP, kind: 'Gateway', namespace: this.#namespace };
    const authorities = new Map<string, CaBundle>();
    const problems: Finding[] = [];
    for (const [index, ref] of caCertificateRefs.entries()) {
      const resolved = this.#bundles.resolve(from, ref, `${field}.caCertificateRefs[${index}]`);
      if (resolved.configMap !== undefined) this.configMaps.add(resolved.configMap);
      if (resolved.bundle) authorities.set(resolved.bundle.key, resolved.bundle);
      if (resolved.problem) {
        const { cause, ...problem } = resolved.problem;
        problems.push({ ...problem, reason: REASONS[cause] });
      }
    }
    const refusal: Finding = {
      reason: 'NoValidCACertificate',
      field: `${field}.caCertificateRefs`,
      message: 'found no certificate of an authority, so that no certificate of a client could be checked',
      fix: 'have one of the references resolve',
    };
    return {
      field,
      mode,
      authorities: [...authorities.values()],
      problems,
      ...(authorities.size === 0 ? { refusal } : {}),
    };
  }
}

const isInsecure = (validation: Validation | undefined) => validation?.mode === 'AllowInsecureFallback';

/** Which references of the Gateway don't resolve is for its owner to know. */
const ofTheGateway = ({ reason }: Finding, field: string): Finding => ({
  reason,
  field,
  message:
    'the Gateway asks clients on this port for certificates, and certificates of authorities that it names are missing',
  fix: 'have the owner of the Gateway look at its spec.tls.frontend',
});

function asking(
  { hash: _, ...listener }: NonNullable<DeclaredListener['resource']>,
  mode: ClientCertificates['mode'],
  authorities: readonly CaBundle[],
): NonNullable<DeclaredListener['resource']> {
  const asks = { ...listener, clientCertificates: { mode, authorities: authorities.map(({ key }) => key) } };
  return { ...asks, hash: contentHash(asks) };
}
