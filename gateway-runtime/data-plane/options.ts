/** What the data plane is told when it is started: by flags, or by variables of the environment where there is no flag. */
import { hostname } from 'node:os';
import { MOST_WORKERS } from '../api/workers.ts';
import { ADMIN_PORT, containerPort } from '../distribution/ports.ts';
import { everyAddress, flagValues, OptionError, place, variable } from '../distribution/process.ts';
import { ENGINES, type EngineName, isEngineName } from '../proxy/engines.ts';
import type { GatewayId } from '../snapshot/snapshot.ts';
import type { StopTimes } from './data-plane.ts';
import { STOP_TIMES } from './data-plane.ts';

export interface ProcessOptions {
  readonly gateway: GatewayId;
  readonly replica: string;
  readonly host: string;
  readonly port: number;
  readonly serverName?: string;
  readonly tokenFile: string;
  readonly caFile: string;
  readonly folder: string;
  readonly address: string;
  readonly admin: { readonly address: string; readonly port: number };
  readonly bindPort: (port: number) => number;
  readonly accessLog: boolean;
  /** Processes that share the ports. */
  readonly workers: number;
  readonly engine?: EngineName;
  readonly stop: StopTimes;
}

export const USAGE = `Serves one Gateway, as the control plane says. Every flag can be given as a variable too: --ca-file as GATEWRIGHT_CA_FILE.

  --gateway <namespace/name>      the Gateway to serve
  --control-plane <host:port>     where to dial
  --server-name <name>            whose certificate to expect there (default: the host)
  --ca-file <path>                authorities to trust for it, PEM; read anew whenever it dials
  --token-file <path>             token of the Gateway's service account; read anew whenever it dials
  --state-folder <path>           for what was served last; in memory, since keys are kept there
  --replica <name>                name of this pod (default: the host's name)
  --address <ip>                  where listeners are bound (default: every address)
  --admin <ip:port>               health and metrics (default: port ${ADMIN_PORT} of every address)
  --ports <listener:bound,...>    ports to bind for listener ports, 0 for any; others as in a cluster
  --engine <http1|node>           what carries HTTP/1.1: the engine of this project, or node:http (default: http1)
  --workers <number>              processes that share the ports, each on a core of its own, 1 to ${MOST_WORKERS} (default: 1)
  --access-log                    one JSON line per request on standard output
  --unready-time <seconds>        from SIGTERM to the first clients being asked to leave (default: ${STOP_TIMES.unready / 1000})
  --leave-time <seconds>          from there to the drain (default: ${STOP_TIMES.leave / 1000})
`;

const FLAGS = {
  gateway: { type: 'string' },
  'control-plane': { type: 'string' },
  'server-name': { type: 'string' },
  'ca-file': { type: 'string' },
  'token-file': { type: 'string' },
  'state-folder': { type: 'string' },
  replica: { type: 'string' },
  address: { type: 'string' },
  admin: { type: 'string' },
  ports: { type: 'string' },
  engine: { type: 'string' },
  workers: { type: 'string' },
  'access-log': { type: 'boolean' },
  'unready-time': { type: 'string' },
  'leave-time': { type: 'string' },
  help: { type: 'boolean' },
} as const;

type TextFlag = Exclude<keyof typeof FLAGS, 'access-log' | 'help'>;

/** Undefined where help was asked for. Throws OptionError. */
export function processOptions(
  args: readonly string[],
  environment: Readonly<Record<string, string | undefined>>,
): ProcessOptions | undefined {
  const values = flagValues(args, FLAGS);
  if (values.help) return undefined;
  const given = (flag: TextFlag) => values[flag] ?? environment[variable(flag)];
  const needed = (flag: TextFlag): string => {
    const value = given(flag);
    if (value) return value;
    throw new OptionError(`found no --${flag} and no ${variable(flag)}, expected one of them`);
  };
  const seconds = (flag: TextFlag, fallback: number): number => {
    const value = given(flag);
    if (value === undefined) return fallback;
    if (/^\d+(\.\d+)?$/.test(value) && Number(value) <= 3600) return Number(value) * 1000;
    throw new OptionError(`found --${flag} ${value}, expected seconds, from 0 to 3600`);
  };
  const [namespace, name, ...rest] = needed('gateway').split('/');
  if (!namespace || !name || rest.length > 0) {
    throw new OptionError(`found --gateway ${given('gateway')}, expected namespace/name`);
  }
  const control = place('control-plane', needed('control-plane'));
  const serverName = given('server-name');
  return {
    gateway: { namespace, name },
    replica: given('replica') ?? hostname(),
    host: control.address,
    port: control.port,
    ...(serverName ? { serverName } : {}),
    caFile: needed('ca-file'),
    tokenFile: needed('token-file'),
    folder: needed('state-folder'),
    address: given('address') ?? everyAddress(),
    admin: place('admin', given('admin') ?? `[${everyAddress()}]:${ADMIN_PORT}`),
    bindPort: ports(given('ports') ?? ''),
    accessLog: values['access-log'] ?? environment[variable('access-log')] === 'true',
    workers: workers(given('workers') ?? '1'),
    ...engine(given('engine')),
    stop: {
      unready: seconds('unready-time', STOP_TIMES.unready),
      leave: seconds('leave-time', STOP_TIMES.leave),
    },
  };
}

function engine(name: string | undefined): { readonly engine?: EngineName } {
  if (name === undefined) return {};
  if (isEngineName(name)) return { engine: name };
  throw new OptionError(`found --engine ${name}, expected one of ${Object.keys(ENGINES).join(', ')}`);
}

function workers(text: string): number {
  if (/^[1-9]\d?$/.test(text) && Number(text) <= MOST_WORKERS) return Number(text);
  throw new OptionError(`found --workers ${text}, expected a number from 1 to ${MOST_WORKERS}`);
}

function ports(text: string): (port: number) => number {
  const named = new Map<number, number>();
  for (const pair of text.split(',').filter(Boolean)) {
    const [, listener, bound] = /^(\d{1,5}):(\d{1,5})$/.exec(pair) ?? [];
    if (!listener || Number(listener) > 65535 || Number(bound) > 65535) {
      throw new OptionError(`found --ports ${text}, expected pairs of ports, such as 80:8080,443:8443`);
    }
    named.set(Number(listener), Number(bound));
  }
  return (port) => named.get(port) ?? containerPort(port);
}
