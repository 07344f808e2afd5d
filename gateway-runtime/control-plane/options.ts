/** What the control plane is told when it is started: by flags, or by variables of the environment where there is no flag. */
import { hostname } from 'node:os';
import { ADMIN_PORT, CONTROL_PORT } from '../distribution/ports.ts';
import {
  everyAddress,
  flagValues,
  OptionError,
  type Place,
  place,
  variable,
} from '../distribution/process.ts';

export interface ProcessOptions {
  /** Path of a kubeconfig; undefined: that of the pod, or KUBECONFIG. */
  readonly kubeconfig?: string;
  /** Undefined: that of the connection. */
  readonly namespace?: string;
  readonly pod: string;
  /** Where other replicas reach this one. */
  readonly podIp?: string;
  readonly listen: Place;
  readonly admin: Place;
  readonly service: string;
  readonly clusterDomain: string;
  readonly names: readonly string[];
  readonly tokenFile?: string;
  /** Image of data planes; undefined: Gateways are served, and nothing is made for them. */
  readonly image?: string;
  /** Milliseconds. */
  readonly lease: number;
}

const SERVICE = 'gatewright-control-plane';
const CLUSTER_DOMAIN = 'cluster.local';
const LEASE_SECONDS = 15;

export const USAGE = `Reads Gateways and routes from a cluster and hands them out to data planes. Every flag can be given as a variable too: --pod-ip
as GATEWRIGHT_POD_IP.

  --kubeconfig <path>         the cluster (default: that of the pod we run in, else KUBECONFIG or ~/.kube/config)
  --namespace <name>          namespace of the Lease and the authority (default: that of the pod or context)
  --pod <name>                name of this pod (default: the host's name)
  --pod-ip <ip>               where the other replicas reach this one
  --listen <ip:port>          for data planes (default: port ${CONTROL_PORT} of every address)
  --admin <ip:port>           health and metrics (default: port ${ADMIN_PORT} of every address)
  --service <name>            Service through which data planes dial (default: ${SERVICE})
  --cluster-domain <domain>   of its name (default: ${CLUSTER_DOMAIN})
  --names <name,...>          further names and addresses under which data planes dial
  --token-file <path>         our own token, by which other replicas know us; read anew whenever it is shown
  --image <image>             of the data planes
  --no-provision              makes nothing in the cluster: data planes are run by somebody else
  --lease <seconds>           after which another replica takes over from one that died (default: ${LEASE_SECONDS})
`;

const FLAGS = {
  kubeconfig: { type: 'string' },
  namespace: { type: 'string' },
  pod: { type: 'string' },
  'pod-ip': { type: 'string' },
  listen: { type: 'string' },
  admin: { type: 'string' },
  service: { type: 'string' },
  'cluster-domain': { type: 'string' },
  names: { type: 'string' },
  'token-file': { type: 'string' },
  image: { type: 'string' },
  'no-provision': { type: 'boolean' },
  lease: { type: 'string' },
  help: { type: 'boolean' },
} as const;

type TextFlag = Exclude<keyof typeof FLAGS, 'no-provision' | 'help'>;

/** Undefined where help was asked for. Throws OptionError. */
export function processOptions(
  args: readonly string[],
  environment: Readonly<Record<string, string | undefined>>,
): ProcessOptions | undefined {
  const values = flagValues(args, FLAGS);
  if (values.help) return undefined;
  const given = (flag: TextFlag) => values[flag] || environment[variable(flag)] || undefined;
  const optional = <K extends string>(key: K, flag: TextFlag): { readonly [P in K]?: string } => {
    const value = given(flag);
    return (value === undefined ? {} : { [key]: value }) as { readonly [P in K]?: string };
  };
  const provision = !(values['no-provision'] || environment[variable('no-provision')] === 'true');
  if (provision && !given('image')) {
    throw new OptionError(
      'found no --image and no GATEWRIGHT_IMAGE, expected the image of data planes, or --no-provision',
    );
  }
  return {
    ...optional('kubeconfig', 'kubeconfig'),
    ...optional('namespace', 'namespace'),
    pod: given('pod') ?? hostname(),
    ...optional('podIp', 'pod-ip'),
    listen: place('listen', given('listen') ?? `[${everyAddress()}]:${CONTROL_PORT}`),
    admin: place('admin', given('admin') ?? `[${everyAddress()}]:${ADMIN_PORT}`),
    service: given('service') ?? SERVICE,
    clusterDomain: given('cluster-domain') ?? CLUSTER_DOMAIN,
    names: (given('names') ?? '').split(',').filter(Boolean),
    ...optional('tokenFile', 'token-file'),
    ...(provision ? optional('image', 'image') : {}),
    lease: leaseTime(given('lease') ?? `${LEASE_SECONDS}`),
  };
}

/** The Lease has whole seconds, and is renewed several times within them. */
function leaseTime(text: string): number {
  if (/^\d{1,4}$/.test(text) && Number(text) >= 3) return Number(text) * 1000;
  throw new OptionError(`found --lease ${text}, expected seconds, from 3 to 9999`);
}
