/** Small snapshots and requests, written as briefly as a test wants to read them. */
import type { MatchRequest } from '../../../gateway-runtime/match/request.ts';
import { contentHash } from '../../../gateway-runtime/snapshot/canonical.ts';
import { snapshotOf } from '../../../gateway-runtime/snapshot/difference.ts';
import type {
  HttpMatch,
  HttpRule,
  Listener,
  PathMatch,
  Resource,
  Snapshot,
  TlsRule,
  ValueMatch,
} from '../../../gateway-runtime/snapshot/snapshot.ts';

type Hashed<T> = Omit<T, 'hash'>;
const hashed = <T extends Resource>(resource: Hashed<T>) =>
  ({ ...resource, hash: contentHash(resource) }) as T;

export function listener(
  name: string,
  fields: Partial<
    Pick<
      Listener,
      'port' | 'protocol' | 'tlsMode' | 'hostname' | 'certificates' | 'clientCertificates' | 'minTlsVersion'
    >
  > = {},
): Listener {
  return hashed<Listener>({
    type: 'listener',
    key: `listener/Gateway/infra/gw/${name}`,
    source: { kind: 'Gateway', namespace: 'infra', name: 'gw', listener: name, generation: 1 },
    port: 80,
    protocol: 'HTTP',
    certificates: [],
    ...fields,
  });
}

export const exact = (value: string): PathMatch => ({ type: 'Exact', value });
export const prefix = (value: string): PathMatch => ({ type: 'PathPrefix', value });
export const regex = (value: string): PathMatch => ({ type: 'RegularExpression', value });

export interface MatchFields {
  path?: PathMatch;
  method?: string;
  headers?: readonly ValueMatch[] | Record<string, string>;
  query?: readonly ValueMatch[] | Record<string, string>;
}

const values = (given: readonly ValueMatch[] | Record<string, string> = []): readonly ValueMatch[] =>
  Array.isArray(given)
    ? given
    : Object.entries(given).map(([name, value]) => ({ name, type: 'Exact', value }));

const httpMatch = ({ path = prefix('/'), method, headers, query }: MatchFields): HttpMatch => ({
  path,
  ...(method ? { method } : {}),
  headers: values(headers),
  queryParams: values(query),
});

export interface RuleFields {
  /** `namespace/name` of the route. */
  route?: string;
  index?: number;
  created?: string;
  /** Names of listeners, and the hostnames at all of them; or `parents`, for hostnames of each. */
  on?: readonly string[];
  hostnames?: readonly string[];
  parents?: readonly { listener: string; hostnames: readonly string[] }[];
  matches?: readonly MatchFields[];
  rest?: Partial<
    Pick<
      HttpRule,
      'filters' | 'backends' | 'timeouts' | 'retry' | 'session' | 'maxRequestBytes' | 'allow' | 'refusal'
    >
  >;
}

export function rule({
  route = 'shop/cart',
  index = 0,
  created = '2026-01-01T00:00:00Z',
  on = ['web'],
  hostnames = ['*'],
  parents = on.map((each) => ({ listener: each, hostnames })),
  matches = [{}],
  rest = {},
}: RuleFields = {}): HttpRule {
  const [namespace, name] = route.split('/') as [string, string];
  return hashed<HttpRule>({
    type: 'http-rule',
    key: `http-rule/${route}/${index}`,
    source: { kind: 'HTTPRoute', namespace, name, rule: index, generation: 1, created },
    parents: parents.map((parent) => ({
      ...parent,
      listener: `listener/Gateway/infra/gw/${parent.listener}`,
    })),
    matches: matches.map(httpMatch),
    filters: [],
    backends: [],
    ...rest,
  });
}

export interface TlsRuleFields extends Pick<RuleFields, 'route' | 'created' | 'on'> {
  hostnames: readonly string[];
  backends?: TlsRule['backends'];
}

export function tlsRule({
  route = 'shop/mail',
  created = '2026-01-01T00:00:00Z',
  on = ['tls'],
  hostnames,
  backends = [],
}: TlsRuleFields): TlsRule {
  const [namespace, name] = route.split('/') as [string, string];
  return hashed<TlsRule>({
    type: 'tls-rule',
    key: `tls-rule/${route}/0`,
    source: { kind: 'TLSRoute', namespace, name, rule: 0, generation: 1, created },
    parents: on.map((each) => ({ listener: `listener/Gateway/infra/gw/${each}`, hostnames })),
    backends,
  });
}

export function snapshot(...resources: Resource[]): Snapshot {
  return snapshotOf({ namespace: 'infra', name: 'gw' }, resources);
}

/** `request('GET shop.example.com/cart?a=1', { 'x-tier': 'gold' })`: host and path are taken as they are. */
export function request(line: string, headers: Record<string, string> = {}): MatchRequest {
  const [, method, host, path, query] = /^(\S+) ([^/]*)([^?]*)\??(.*)$/.exec(line)!;
  const fields = new Map(Object.entries(headers));
  return {
    method: method!,
    host: host!,
    path: path!,
    query: query!,
    header: (name) => fields.get(name),
  };
}
