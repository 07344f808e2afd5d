/**
 * What a change costs among many routes. Run: `node --conditions=gatewright-source tests/bench/translate.ts [routes]`.
 * Prints the time to translate everything, and the median and 99th percentile of one change of each kind. CPU time, garbage
 * collection included, so that other work on the machine counts little.
 */
import type { RawObject } from '../../gateway-runtime/api/object.ts';
import { re2 } from '../../gateway-runtime/regex/re2.ts';
import { Translator } from '../../gateway-runtime/translate/translator.ts';

const ROUTES = Number(process.argv[2] ?? 5000);
const TEAMS = 50;
const API = 'gateway.networking.k8s.io/v1';

const metadata = (namespace: string, name: string) => ({ namespace, name, generation: 1 });
const team = (index: number) => `team-${index % TEAMS}`;

function route(index: number, weight: number): RawObject {
  return {
    apiVersion: API,
    kind: 'HTTPRoute',
    metadata: metadata(team(index), `route-${index}`),
    spec: {
      parentRefs: [{ namespace: 'infra', name: 'shared' }],
      hostnames: [`host-${index}.example.com`],
      rules: ['/a', '/b', '/c'].map((value) => ({
        matches: [{ path: { type: 'PathPrefix', value }, headers: [{ name: 'X-Tier', value: 'gold' }] }],
        backendRefs: [
          { name: `service-${index % 20}`, port: 80, weight },
          { name: 'canary', namespace: 'data', port: 80, weight: 1 },
        ],
      })),
    },
  };
}

const service = (namespace: string, name: string, appProtocol: string): RawObject => ({
  apiVersion: 'v1',
  kind: 'Service',
  metadata: metadata(namespace, name),
  spec: { ports: [{ port: 80, appProtocol }] },
});

const slice = (namespace: string, name: string, octet: number): RawObject => ({
  apiVersion: 'discovery.k8s.io/v1',
  kind: 'EndpointSlice',
  metadata: { ...metadata(namespace, `${name}-1`), labels: { 'kubernetes.io/service-name': name } },
  addressType: 'IPv4',
  ports: [{ port: 8080 }],
  endpoints: [{ addresses: [`10.0.0.${octet}`] }],
});

const namespaceOf = (name: string, shade: string): RawObject => ({
  apiVersion: 'v1',
  kind: 'Namespace',
  metadata: { name, labels: { exposed: 'yes', shade } },
});

const FOR_ALL = {
  allowedRoutes: { namespaces: { from: 'Selector', selector: { matchLabels: { exposed: 'yes' } } } },
};
const listener = (port: number, more: object = {}) => ({
  name: `port-${port}`,
  port,
  protocol: 'HTTP',
  ...more,
});

/** The Gateway of all routes, which attach to its first listener. */
const gateway = (generation: number, more: readonly object[] = []): RawObject => ({
  apiVersion: API,
  kind: 'Gateway',
  metadata: { ...metadata('infra', 'shared'), generation },
  spec: { gatewayClassName: 'any', listeners: [listener(80, FOR_ALL), ...more] },
});

const grant = (namespaces: number): RawObject => ({
  apiVersion: API,
  kind: 'ReferenceGrant',
  metadata: metadata('data', 'teams'),
  spec: {
    from: Array.from({ length: namespaces }, (_, index) => ({
      group: 'gateway.networking.k8s.io',
      kind: 'HTTPRoute',
      namespace: team(index),
    })),
    to: [{ group: '', kind: 'Service' }],
  },
});

/** ListenerSets on a Gateway of their own, as many as teams would have. */
const SETS = 1000;
const listenerSet = (index: number, hostname: string): RawObject => ({
  apiVersion: API,
  kind: 'ListenerSet',
  metadata: metadata(team(index), `set-${index}`),
  spec: {
    parentRef: { namespace: 'infra', name: 'sets' },
    listeners: [{ name: 'web', port: 80, protocol: 'HTTP', hostname }],
  },
});
const gatewayOfSets: RawObject = {
  apiVersion: API,
  kind: 'Gateway',
  metadata: metadata('infra', 'sets'),
  spec: {
    gatewayClassName: 'any',
    listeners: [{ name: 'web', port: 80, protocol: 'HTTP', hostname: 'sets.example.com' }],
    allowedListeners: { namespaces: { from: 'All' } },
  },
};

const everything: RawObject[] = [gateway(1), grant(16), service('data', 'canary', 'http')];
for (let index = 0; index < TEAMS; index++) {
  everything.push(namespaceOf(team(index), 'light'));
  for (let number = 0; number < 20; number++) {
    everything.push(
      service(team(index), `service-${number}`, 'http'),
      slice(team(index), `service-${number}`, 1),
    );
  }
}
everything.push(gatewayOfSets);
for (let index = 0; index < SETS; index++) everything.push(listenerSet(index, `${index}.example.com`));
for (let index = 0; index < ROUTES; index++) everything.push(route(index, 3));

/** Milliseconds of CPU time. */
function cpuTime(): number {
  const { user, system } = process.cpuUsage();
  return (user + system) / 1000;
}

const begin = cpuTime();
const translator = new Translator({ regex: re2, classes: 'any' });
translator.apply(everything.map((set) => ({ set })));
const whole = cpuTime() - begin;
console.log(`${ROUTES} routes, ${everything.length} objects: ${whole.toFixed(0)} ms for everything`);

const EDITS: Record<string, { times: number; edit: (turn: number) => RawObject }> = {
  'one route': { times: 2000, edit: (turn) => route((turn * 37) % ROUTES, 1 + (turn % 1000)) },
  'one route, nothing changed': { times: 2000, edit: (turn) => everything.at(-1 - (turn % 10))! },
  'one EndpointSlice': {
    times: 2000,
    edit: (turn) => slice(team(turn), `service-${turn % 20}`, 2 + (turn % 250)),
  },
  'one Service': {
    times: 200,
    edit: (turn) => service(team(turn), `service-${turn % 20}`, ['http', 'kubernetes.io/ws'][turn % 2]!),
  },
  'labels of one namespace': { times: 50, edit: (turn) => namespaceOf(team(turn), `shade-${turn}`) },
  [`one ListenerSet of ${SETS}`]: {
    times: 50,
    edit: (turn) => listenerSet(turn, `${turn % 2 ? 'a' : 'b'}-${turn}.example.com`),
  },
  'the ReferenceGrant of all': { times: 10, edit: (turn) => grant(10 + (turn % 6)) },
  'generation of the Gateway': { times: 20, edit: (turn) => gateway(2 + turn) },
  '+/- a listener for nobody': {
    times: 20,
    edit: (turn) => gateway(1, turn % 2 ? [] : [listener(8080)]),
  },
  '+/- a listener, other hostname': {
    times: 20,
    edit: (turn) => gateway(1, turn % 2 ? [] : [listener(8080, { ...FOR_ALL, hostname: 'other.org' })]),
  },
  '+/- a listener for all': {
    times: 10,
    edit: (turn) => gateway(1, turn % 2 ? [] : [listener(8080, FOR_ALL)]),
  },
};

for (const [name, { times, edit }] of Object.entries(EDITS)) {
  const samples: number[] = [];
  for (let turn = 0; turn < times; turn++) {
    const set = edit(turn);
    const start = cpuTime();
    translator.apply([{ set }]);
    samples.push(cpuTime() - start);
  }
  samples.sort((a, b) => a - b);
  const at = (share: number) => samples[Math.min(times - 1, Math.floor(times * share))]!.toFixed(3);
  console.log(`${name.padEnd(30)} median ${at(0.5)} ms, 99% ${at(0.99)} ms`);
}
