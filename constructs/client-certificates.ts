/** Certificates of clients, as a listener asks for them: `https(443, certificate, { clientCertificates: { from: configMapRef('clients') } })`. */
import type { ListenerSpec } from './listener.ts';
import {
  isObject,
  noted,
  oneOf,
  optional,
  problemsOf,
  read,
  type Shape,
  text,
  type,
  valueProblems,
} from './props.ts';

/** Certificates of authorities: a ConfigMap that holds them under `ca.crt`, by reference. */
export interface ConfigMapRef {
  readonly kind: 'ConfigMap';
  readonly name: string;
  /** @default - the namespace of the gateway; another one needs a ReferenceGrant there */
  readonly namespace?: string;
}

export interface ConfigMapRefOptions {
  /** @default - the namespace of the gateway; another one needs a ReferenceGrant there */
  readonly namespace?: string;
}

const OPTIONS: Shape<ConfigMapRefOptions> = { namespace: optional(text) };
const CONFIG_MAP: Shape<ConfigMapRef> = { kind: oneOf('ConfigMap'), name: text, ...OPTIONS };

/** A ConfigMap by name. */
export function configMapRef(name: string, options: ConfigMapRefOptions = {}): ConfigMapRef {
  const { props, problems } = read('configMapRef()', options, OPTIONS);
  return noted({ kind: 'ConfigMap', name, ...props }, problems);
}

/** What is asked of the clients of a port. It holds for all listeners of the port. */
export interface ClientCertificateProps {
  /** The authorities: a certificate is valid that any of them issued. */
  readonly from: ConfigMapRef | readonly ConfigMapRef[];
  /**
   * Who is let in: clients with a valid certificate, or everybody (`AllowInsecureFallback`), for tests and for the time of a change.
   * @default 'AllowValidOnly'
   */
  readonly mode?: 'AllowValidOnly' | 'AllowInsecureFallback';
}

const isRefs = (value: unknown) => [value].flat().length > 0 && [value].flat().every(isObject);
const PROPS: Shape<ClientCertificateProps> = {
  from: type('configMapRef(name) or a list of them', isRefs),
  mode: optional(oneOf('AllowValidOnly', 'AllowInsecureFallback')),
};

export const clientCertificatesType = type('an object such as { from: configMapRef(name) }', isObject);

export const authoritiesOf = ({ clientCertificates }: ListenerSpec): readonly ConfigMapRef[] =>
  clientCertificates ? [clientCertificates.from ?? []].flat().filter(isObject) : [];

/** What is wrong with what one listener asks for. */
export function clientCertificateProblems(given: ClientCertificateProps): string[] {
  const { problems } = read('clientCertificates', given, PROPS);
  if (problems.length > 0) return [...problems];
  return [given.from].flat().flatMap((each) => [
    ...problemsOf(each),
    ...read('configMapRef()', each, CONFIG_MAP).problems,
    ...(each.kind === 'ConfigMap'
      ? []
      : valueProblems(
          'clientCertificates',
          'from',
          type('configMapRef(name)', () => false),
          each,
        )),
  ]);
}

/** Listeners of a port that ask for different things: a connection made for one can be used for another, so that they can't. */
export function differingPorts(listeners: Readonly<Record<string, ListenerSpec>>): string[] {
  const first = new Map<number, [name: string, asks: string]>();
  const problems: string[] = [];
  for (const [name, spec] of Object.entries(listeners)) {
    if (spec.protocol !== 'HTTPS') continue;
    const asks = JSON.stringify(validationOf(spec) ?? null);
    const known = first.get(spec.port);
    if (!known) first.set(spec.port, [name, asks]);
    else if (known[1] !== asks) {
      problems.push(
        `listeners ${known[0]} and ${name} share port ${spec.port} and ask for different clientCertificates: a connection that was made for one can be used for the other, so give both the same`,
      );
    }
  }
  return problems;
}

function validationOf(spec: ListenerSpec) {
  if (!spec.clientCertificates) return undefined;
  return {
    caCertificateRefs: authoritiesOf(spec).map(({ kind, name, namespace }) => ({
      group: '',
      kind,
      name,
      namespace,
    })),
    mode: spec.clientCertificates.mode ?? 'AllowValidOnly',
  };
}

/** `spec.tls` of the Gateway; undefined where no listener asks for anything. */
export function frontendTls(listeners: Readonly<Record<string, ListenerSpec>>) {
  const ports = new Map<number, ReturnType<typeof validationOf>>();
  for (const spec of Object.values(listeners)) {
    const validation = spec.protocol === 'HTTPS' ? validationOf(spec) : undefined;
    if (validation && !ports.has(spec.port)) ports.set(spec.port, validation);
  }
  if (ports.size === 0) return undefined;
  const perPort = [...ports].map(([port, validation]) => ({ port, tls: { validation } }));
  return { frontend: { default: {}, perPort } };
}
