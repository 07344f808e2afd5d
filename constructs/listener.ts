/** Listeners of a gateway, as they are written: `http(80)`, `https(443, secretRef('wildcard'))`. */

import {
  type ClientCertificateProps,
  clientCertificateProblems,
  clientCertificatesType,
} from './client-certificates.ts';
import {
  anything,
  isObject,
  noted,
  number,
  oneOf,
  optional,
  problemsOf,
  read,
  record,
  type Shape,
  text,
  type,
  valueProblems,
} from './props.ts';

/** The certificate of an HTTPS listener: a Secret, by reference. */
export interface SecretRef {
  readonly kind: 'Secret';
  readonly name: string;
  /** @default - the namespace of the gateway; another one needs a ReferenceGrant there */
  readonly namespace?: string;
}

export interface SecretRefOptions {
  /** @default - the namespace of the gateway; another one needs a ReferenceGrant there */
  readonly namespace?: string;
}

const SECRET_OPTIONS: Shape<SecretRefOptions> = { namespace: optional(text) };
const SECRET: Shape<SecretRef> = { kind: oneOf('Secret'), name: text, ...SECRET_OPTIONS };

/** A Secret by name. */
export function secretRef(name: string, options: SecretRefOptions = {}): SecretRef {
  const { props, problems } = read('secretRef()', options, SECRET_OPTIONS);
  return noted({ kind: 'Secret', name, ...props }, problems);
}

/** Which namespaces' routes a listener admits. */
export type RouteNamespaces =
  | { readonly from: 'All' }
  | { readonly from: 'Same' }
  | { readonly from: 'Selector'; readonly labels: Readonly<Record<string, string>> };

/** Routes of every namespace. */
export const allNamespaces = (): RouteNamespaces => ({ from: 'All' });
/** Routes of the gateway's own namespace. */
export const sameNamespace = (): RouteNamespaces => ({ from: 'Same' });
/** Routes of the namespaces that have all these labels. */
export const namespacesWith = (labels: Readonly<Record<string, string>>): RouteNamespaces => ({
  from: 'Selector',
  labels,
});

const LABELS = record('texts by name', text);
const NAMESPACES = type(
  'allNamespaces(), sameNamespace() or namespacesWith({ name: value })',
  (value) =>
    isObject(value) &&
    'from' in value &&
    (value.from === 'All' ||
      value.from === 'Same' ||
      (value.from === 'Selector' && 'labels' in value && LABELS.wrong(value.labels) === undefined)),
);

/** A listener that grants open for teams: it has no hostname of its own and admits nobody by itself. */
export interface GrantedListener {
  readonly port: number;
  readonly protocol: 'HTTP' | 'HTTPS' | 'TLS' | 'TCP' | 'UDP';
  readonly certificates: readonly SecretRef[];
  readonly clientCertificates?: ClientCertificateProps;
  readonly hostname?: undefined;
  readonly routes?: undefined;
}

/** A listener that is open to whole namespaces, without grants. */
export interface OpenListener<Hostname extends string = string> {
  readonly port: number;
  readonly protocol: 'HTTP' | 'HTTPS' | 'TLS';
  readonly certificates: readonly SecretRef[];
  readonly clientCertificates?: ClientCertificateProps;
  readonly hostname?: Hostname;
  readonly routes: RouteNamespaces;
}

export type ListenerSpec = GrantedListener | OpenListener;

export interface OpenListenerProps<Hostname extends string> {
  /** The namespaces whose routes it admits, whatever they are about. */
  readonly routes: RouteNamespaces;
  /**
   * The only hostname it serves; `*.` in front stands for one or more labels.
   * @default - every hostname that no other listener of the port has
   */
  readonly hostname?: Hostname;
}

/** Of a listener with TLS. */
export interface HttpsProps {
  /**
   * Whether clients need a certificate, and from whom. All listeners of a port must ask for the same.
   * @default - clients are asked for none
   */
  readonly clientCertificates?: ClientCertificateProps;
}

const OPEN: Shape<OpenListenerProps<string>> = { routes: NAMESPACES, hostname: optional(text) };
const SECURE_OPEN: Shape<OpenListenerProps<string> & HttpsProps> = {
  ...OPEN,
  clientCertificates: optional(clientCertificatesType),
};
/** Where it is neither open nor meant to be. */
const SECURE: Shape<Partial<OpenListenerProps<string>> & HttpsProps> = {
  routes: optional(NAMESPACES),
  hostname: optional(text),
  clientCertificates: optional(clientCertificatesType),
};
const LISTENER: Shape<Omit<OpenListener, 'routes'> & { routes?: RouteNamespaces }> = {
  port: number,
  protocol: oneOf('HTTP', 'HTTPS', 'TLS', 'TCP', 'UDP'),
  certificates: anything,
  clientCertificates: optional(clientCertificatesType),
  hostname: optional(text),
  routes: optional(NAMESPACES),
};

/** Plain HTTP. Without `routes`, only grants let routes in. */
export function http(port: number): GrantedListener;
export function http<const Hostname extends string>(
  port: number,
  props: OpenListenerProps<Hostname>,
): OpenListener<Hostname>;
export function http(port: number, props?: OpenListenerProps<string>): ListenerSpec {
  const listener: GrantedListener = { port, protocol: 'HTTP', certificates: [] };
  return props === undefined ? listener : listenerOf('http()', listener, props, OPEN);
}

/** TLS that is passed through to backends by the server name of the handshake. Without `routes`, only grants let TLSRoutes in. */
export function tls(port: number): GrantedListener;
export function tls<const Hostname extends string>(
  port: number,
  props: OpenListenerProps<Hostname>,
): OpenListener<Hostname>;
export function tls(port: number, props?: OpenListenerProps<string>): ListenerSpec {
  const listener: GrantedListener = { port, protocol: 'TLS', certificates: [] };
  return props === undefined ? listener : listenerOf('tls()', listener, props, OPEN);
}

/** TCP, whatever is spoken over it. A grant gives it to one team as a whole, for TCPRoutes. */
export const tcp = (port: number): GrantedListener => ({ port, protocol: 'TCP', certificates: [] });

/** UDP. A grant gives it to one team as a whole, for UDPRoutes. */
export const udp = (port: number): GrantedListener => ({ port, protocol: 'UDP', certificates: [] });

/** HTTPS, terminated with one certificate, or with the one of several that fits the server name. */
export function https(
  port: number,
  certificates: SecretRef | readonly SecretRef[],
  props?: HttpsProps & { readonly routes?: undefined; readonly hostname?: undefined },
): GrantedListener;
export function https<const Hostname extends string>(
  port: number,
  certificates: SecretRef | readonly SecretRef[],
  props: OpenListenerProps<Hostname> & HttpsProps,
): OpenListener<Hostname>;
export function https(
  port: number,
  certificates: SecretRef | readonly SecretRef[],
  props?: Partial<OpenListenerProps<string>> & HttpsProps,
): ListenerSpec {
  const listener: GrantedListener = { port, protocol: 'HTTPS', certificates: [certificates].flat() };
  if (props === undefined) return listener;
  // A hostname is only for listeners that are open: what is missing then is told.
  const isOpen = !isObject(props) || 'routes' in props || 'hostname' in props;
  return isOpen
    ? listenerOf('https()', listener, props, SECURE_OPEN)
    : listenerOf('https()', listener, props, SECURE);
}

function listenerOf<Props extends object>(
  call: string,
  granted: GrantedListener,
  given: unknown,
  shape: Shape<Props>,
): ListenerSpec {
  const { props, problems } = read(call, given, shape);
  return noted({ ...granted, ...props } as ListenerSpec, problems);
}

/** Whether there is enough of a listener to go on with. */
export const isListener = (value: unknown): value is ListenerSpec =>
  isObject(value) && 'certificates' in value && Array.isArray(value.certificates);

/** What is wrong with a listener, and with what it was made of. */
export function listenerProblems(listener: ListenerSpec): string[] {
  const call = `${listener.protocol.toLowerCase()}()`;
  return [
    ...problemsOf(listener),
    ...read(call, listener, LISTENER).problems,
    ...(listener.clientCertificates ? clientCertificateProblems(listener.clientCertificates) : []),
    ...listener.certificates.flatMap((each) => [
      ...problemsOf(each),
      ...(isObject(each)
        ? read('secretRef()', each, SECRET).problems
        : valueProblems(call, 'certificates', type('secretRef(name)', isObject), each)),
    ]),
  ];
}

/** The names of the listeners that grants open. */
export type GrantedNames<Listeners> = keyof {
  [Name in keyof Listeners & string as Listeners[Name] extends GrantedListener ? Name : never]: true;
};

/** The names of the listeners that are open without a grant. */
export type OpenNames<Listeners> = keyof {
  [Name in keyof Listeners & string as Listeners[Name] extends OpenListener ? Name : never]: true;
};

/** The hostname that an open listener serves, as a list of what routes may name. */
export type HostsOfListener<Listener> =
  Listener extends OpenListener<infer Hostname>
    ? string extends Hostname
      ? readonly string[]
      : readonly [Hostname]
    : readonly string[];
