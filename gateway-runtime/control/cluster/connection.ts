/** Where the API server is and who we are to it: from the pod that we run in, or from a kubeconfig. */
import { existsSync, readFileSync } from 'node:fs';
import { homedir } from 'node:os';
import { delimiter, dirname, join, resolve } from 'node:path';
import { parse } from 'yaml';

export interface Connection {
  /** With the path that comes before `/api`, if any. */
  readonly server: URL;
  /** PEM. The system's authorities where it is absent. */
  readonly ca?: string;
  readonly certificate?: string;
  readonly key?: string;
  /** Name that the server's certificate is for, where it is not the host of `server`. */
  readonly serverName?: string;
  /** Whether any certificate of the server will do. */
  readonly insecure: boolean;
  /** Bearer token as of now: the kubelet replaces its file long before the token expires. */
  readonly token?: () => string;
  /** Where we run, or what the context of the kubeconfig names. */
  readonly namespace: string;
}

/** How a connection can't be had, as a sentence for people. */
export class ConnectionError extends Error {
  override readonly name = 'ConnectionError';
}

const SERVICE_ACCOUNT = '/var/run/secrets/kubernetes.io/serviceaccount';
/** Milliseconds for which a token is used without reading its file again. */
const TOKEN_AGE = 30_000;

/** That of the pod where there is one, else that of KUBECONFIG or `~/.kube/config`. */
export function connection(environment: NodeJS.ProcessEnv = process.env): Connection {
  return environment.KUBERNETES_SERVICE_HOST && !environment.KUBECONFIG
    ? podConnection(environment)
    : kubeconfigConnection(
        (environment.KUBECONFIG || join(homedir(), '.kube', 'config')).split(delimiter).filter(Boolean),
      );
}

/** From what the kubelet gives every pod that has a service account: two variables and three files. */
export function podConnection(environment: NodeJS.ProcessEnv, folder = SERVICE_ACCOUNT): Connection {
  const { KUBERNETES_SERVICE_HOST: host, KUBERNETES_SERVICE_PORT: port } = environment;
  if (!host || !port) {
    throw new ConnectionError(
      'found no KUBERNETES_SERVICE_HOST and KUBERNETES_SERVICE_PORT, expected to run in a pod. Set KUBECONFIG to run elsewhere',
    );
  }
  const file = (name: string) => {
    const path = join(folder, name);
    return readText(path, 'mount the token of a service account into the pod');
  };
  return {
    server: new URL(`https://${host.includes(':') ? `[${host}]` : host}:${port}`),
    ca: file('ca.crt'),
    insecure: false,
    token: rereadToken(join(folder, 'token')),
    namespace: file('namespace').trim(),
  };
}

interface Kubeconfig {
  readonly 'current-context'?: string;
  readonly clusters?: readonly { readonly name: string; readonly cluster: Record<string, unknown> }[];
  readonly users?: readonly { readonly name: string; readonly user: Record<string, unknown> }[];
  readonly contexts?: readonly {
    readonly name: string;
    readonly context: { readonly cluster: string; readonly user: string; readonly namespace?: string };
  }[];
}

/** From kubeconfig files: of several that define a name, the first one counts, as for kubectl. */
export function kubeconfigConnection(files: readonly string[]): Connection {
  const found = files.filter((file) => existsSync(file));
  if (found.length === 0) {
    throw new ConnectionError(
      `found no kubeconfig at ${files.join(' or ')}. Set KUBECONFIG to the path of one`,
    );
  }
  const configs = found.map((file) => ({ folder: dirname(file), config: readKubeconfig(file) }));
  const named = <T extends { readonly name: string }>(
    what: string,
    name: string,
    list: (config: Kubeconfig) => readonly T[] | undefined,
  ): { entry: T; folder: string } => {
    for (const { folder, config } of configs) {
      const entry = list(config)?.find((each) => each.name === name);
      if (entry) return { entry, folder };
    }
    throw new ConnectionError(`${found.join(', ')}: found no ${what} "${name}"`);
  };
  const current = configs.map(({ config }) => config['current-context']).find(Boolean);
  if (!current) {
    throw new ConnectionError(
      `${found.join(', ')}: found no current-context. Choose one with kubectl config use-context`,
    );
  }
  const { context } = named('context', current, (config) => config.contexts).entry;
  const cluster = named('cluster', context.cluster, (config) => config.clusters);
  const user = named('user', context.user, (config) => config.users);
  return {
    ...serverOf(new Fields(cluster.entry.cluster, cluster.folder, `cluster "${context.cluster}"`)),
    ...identityOf(new Fields(user.entry.user, user.folder, `user "${context.user}"`)),
    namespace: context.namespace || 'default',
  };
}

function readKubeconfig(file: string): Kubeconfig {
  const text = readText(file, 'correct KUBECONFIG');
  try {
    return (parse(text) as Kubeconfig | null) ?? {};
  } catch {
    // The parser's message quotes the file, which may hold keys.
    throw new ConnectionError(`${file}: found something else, expected a kubeconfig in YAML`);
  }
}

/** One entry of a kubeconfig. */
class Fields {
  readonly what: string;
  readonly #values: Record<string, unknown>;
  readonly #folder: string;

  constructor(values: Record<string, unknown>, folder: string, what: string) {
    this.#values = values;
    this.#folder = folder;
    this.what = what;
  }

  text(name: string): string | undefined {
    const value = this.#values[name];
    return typeof value === 'string' && value !== '' ? value : undefined;
  }

  has(name: string): boolean {
    return this.#values[name] !== undefined;
  }

  flag(name: string): boolean {
    return this.#values[name] === true;
  }

  path(name: string): string | undefined {
    const value = this.text(name);
    return value && resolve(this.#folder, value);
  }

  /** PEM that stands in the entry itself or in a file that it names. */
  pem(name: string): string | undefined {
    const inline = this.text(`${name}-data`);
    if (inline) return Buffer.from(inline, 'base64').toString();
    const path = this.path(name);
    return path && readText(path, `correct ${name} of the ${this.what}`);
  }
}

function serverOf(fields: Fields): Pick<Connection, 'server' | 'ca' | 'serverName' | 'insecure'> {
  const server = fields.text('server');
  if (!server || !URL.canParse(server)) {
    throw new ConnectionError(`${fields.what} of the kubeconfig: expected the server's URL in server`);
  }
  if (fields.has('proxy-url')) {
    throw new ConnectionError(
      `${fields.what} of the kubeconfig: found proxy-url, which is not supported. Name a server that is reached directly`,
    );
  }
  const ca = fields.pem('certificate-authority');
  const serverName = fields.text('tls-server-name');
  return {
    server: new URL(server),
    ...(ca ? { ca } : {}),
    ...(serverName ? { serverName } : {}),
    insecure: fields.flag('insecure-skip-tls-verify'),
  };
}

function identityOf(fields: Fields): Pick<Connection, 'certificate' | 'key' | 'token'> {
  for (const unsupported of ['exec', 'auth-provider', 'username']) {
    if (fields.has(unsupported)) {
      throw new ConnectionError(
        `${fields.what} of the kubeconfig: found ${unsupported}, expected a token or a client certificate. Make a kubeconfig ` +
          'with the token of a service account (kubectl create token), or go through kubectl proxy',
      );
    }
  }
  const certificate = fields.pem('client-certificate');
  const key = fields.pem('client-key');
  const file = fields.path('tokenFile');
  const text = fields.text('token');
  const token = file ? rereadToken(file) : text ? () => text : undefined;
  return {
    ...(certificate ? { certificate } : {}),
    ...(key ? { key } : {}),
    ...(token ? { token } : {}),
  };
}

function rereadToken(path: string): () => string {
  let token = '';
  let readAt = Number.NEGATIVE_INFINITY;
  return () => {
    if (performance.now() - readAt > TOKEN_AGE) {
      token = readText(path, 'mount the token again').trim();
      readAt = performance.now();
    }
    return token;
  };
}

function readText(path: string, fix: string): string {
  try {
    return readFileSync(path, 'utf8');
  } catch (error) {
    const { code } = error as NodeJS.ErrnoException;
    throw new ConnectionError(`${path} can't be read (${code}): ${fix}`);
  }
}
