/** Proxies to be compared: each with one worker, the same routes, TLS certificate and backend, an access log and metrics. */
import { spawnSync } from 'node:child_process';

/** Where a contender listens. */
export interface Ports {
  readonly plain: number;
  readonly tls: number;
}

export interface Setting {
  /** For configurations and logs; `certificate.pem` and `key.pem` are there. */
  readonly folder: string;
  readonly backendPort: number;
  /** Each with a host `h<n>.example.com` and a path prefix `/api/v<n>` of its own. */
  readonly routes: number;
  readonly ports: Ports;
  /** Thousands of clients are slow: there is room for them, and as much time for a head as the data plane gives. */
  readonly slowClients?: boolean;
}

export interface Contender {
  readonly name: string;
  /** Undefined: it is always there. */
  readonly program?: string;
  /** The argument with which it says its version. */
  readonly asksVersion?: string;
  /** Writes its configuration, and gives what starts it. */
  command(setting: Setting): readonly [string, ...string[]];
  /** For its process. */
  readonly environment?: Readonly<Record<string, string>>;
}

export const isInstalled = (program: string) => spawnSync('which', [program]).status === 0;

/** Such as `nginx 1.22.1`. */
export function withVersion({ name, program, asksVersion }: Contender): string {
  const { stdout, stderr } = spawnSync(program!, [asksVersion!], { encoding: 'utf8' });
  // The last, since some say where they lie before.
  const found = [...`${stdout}${stderr}`.matchAll(/(?:version:?\s+|\/)(\d+\.\d+\.\d+)(?![\w.])/gi)].at(-1);
  return `${name} ${found?.[1] ?? 'of a version that it does not say'}`;
}

/** Lines, one a route. */
export const eachRoute = (routes: number, line: (index: number) => string) =>
  Array.from({ length: routes }, (_, index) => line(index)).join('\n');
