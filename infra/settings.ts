/** What `pulumi config set` says to this program. */
import { Config } from '@pulumi/pulumi';
import type { GatewayClassProps } from 'gatewright';
import type { Refusable, TlsPair } from 'gatewright/pulumi';
import { resolved } from '../pulumi/resolved.ts';
import { BUNDLE_VERSION } from './gateway-api.ts';

export interface Settings {
  /** Image of the runtime. */
  readonly image: string;
  /** GatewayClasses of the runtime, by name. */
  readonly classes: Readonly<Record<string, GatewayClassProps>> | undefined;
  /** Where the Gateway API CRDs come from: a URL, a path, or `none` where the cluster has them. */
  readonly crds: string;
  /** Seconds that `up` waits for routes to be live; 0 where it does not wait. */
  readonly wait: number;
  /** Changes of traffic that fail a preview and an update, as `previewTraffic` takes and checks them. */
  readonly refuse: readonly Refusable[];
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
    refuse: config.getObject('refuse') ?? [],
    certificates: pairsOf(await resolved(config.getSecretObject<unknown>('certificates'))),
  };
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
