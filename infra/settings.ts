/** What `pulumi config set` says to this program. */
import { Config, type Output } from '@pulumi/pulumi';
import type { GatewayClassProps } from 'gatewright';
import { BUNDLE_VERSION } from './gateway-api.ts';

/** The certificate and the key of a Secret of type kubernetes.io/tls, in PEM. */
export interface TlsPair {
  readonly certificate: string;
  readonly key: string;
}

export interface Settings {
  /** Image of the runtime. */
  readonly image: string;
  /** GatewayClasses of the runtime, by name. */
  readonly classes: Readonly<Record<string, GatewayClassProps>> | undefined;
  /** Where the Gateway API CRDs come from: a URL, a path, or `none` where the cluster has them. */
  readonly crds: string;
  /** Seconds that `up` waits for routes to be live; 0 where it does not wait. */
  readonly wait: number;
  /** By `namespace/name` of the Secret. */
  readonly certificates: ReadonlyMap<string, TlsPair>;
}

const OFFICIAL = `https://github.com/kubernetes-sigs/gateway-api/releases/download/${BUNDLE_VERSION}/experimental-install.yaml`;
const WAIT = 300;

/** Throws where a value is missing or is none; no message holds the value of a secret. */
export async function readSettings(config = new Config()): Promise<Settings> {
  return {
    image: config.require('image'),
    classes: config.getObject('classes'),
    crds: config.get('crds') || OFFICIAL,
    wait: config.getNumber('wait', { min: 0 }) ?? WAIT,
    certificates: pairsOf(await resolved(config.getSecretObject<unknown>('certificates'))),
  };
}

/** The value of an Output of the configuration, which is known in a preview too. */
export function resolved<T>(output: Output<T> | undefined): Promise<T | undefined> {
  return new Promise((resolve) =>
    output ? output.apply(resolve as (value: unknown) => void) : resolve(undefined),
  );
}

const isObject = (value: unknown): value is Record<string, unknown> =>
  typeof value === 'object' && value !== null && !Array.isArray(value);

function pairsOf(value: unknown): ReadonlyMap<string, TlsPair> {
  if (value === undefined) return new Map();
  const expected = 'expected {"<namespace>/<name>": {"certificate": "<PEM>", "key": "<PEM>"}}';
  if (!isObject(value)) throw new Error(`gatewright:certificates: found no object, ${expected}`);
  return new Map(
    Object.entries(value).map(([name, pair]) => {
      const { certificate, key, ...others } = isObject(pair) ? pair : {};
      const isPair = typeof certificate === 'string' && typeof key === 'string';
      if (!/^[^/]+\/[^/]+$/.test(name) || !isPair || Object.keys(others).length > 0) {
        throw new Error(`gatewright:certificates: found something else for "${name}", ${expected}`);
      }
      return [name, { certificate, key }];
    }),
  );
}
