/** A control plane of live tests: real sockets and TLS, objects and tokens by hand. */
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { Distribution, type DistributionOptions } from '../../gateway-runtime/control/distribution.ts';
import type { TokenOwner } from '../../gateway-runtime/control/distribution-guest.ts';
import type { ReplicaView } from '../../gateway-runtime/control/distribution-view.ts';
import { issueServerCertificate, makeRoot } from '../../gateway-runtime/control/x509.ts';
import type { DataPlaneOptions } from '../../gateway-runtime/data-plane/data-plane.ts';
import type { DistributionLimits } from '../../gateway-runtime/distribution/limits.ts';
import type { Order } from '../../gateway-runtime/distribution/order.ts';
import { re2 } from '../../gateway-runtime/regex/re2.ts';
import { difference, snapshotOf } from '../../gateway-runtime/snapshot/difference.ts';
import {
  type BackendEndpoints,
  type CertificateBundle,
  type Endpoint,
  type GatewayId,
  gatewayKey,
  type Resource,
  type Snapshot,
} from '../../gateway-runtime/snapshot/snapshot.ts';
import { NO_CHANGE, type TranslationChange } from '../../gateway-runtime/translate/translation.ts';
import { exact, rule } from '../unit/match/snapshots.ts';
import { backendKey, GATEWAY, to } from './gateway.ts';

export const TOKEN = 'token-of-gw';

/** For tests of what happens when time is over. */
export const FAST: Partial<DistributionLimits> = {
  beat: 100,
  silence: 1_500,
  hello: 1_000,
  behind: 100,
  retry: 50,
};

export const at = (sequence: number, epoch = 1): Order => ({ epoch, sequence });

export interface State {
  readonly gateway?: GatewayId;
  readonly resources: readonly Resource[];
  readonly endpoints?: Readonly<Record<string, readonly Endpoint[]>>;
  readonly certificates?: readonly CertificateBundle[];
}

/** As many routes, each of a path of its own, to Service a. */
export const routes = (count: number): Resource[] =>
  Array.from({ length: count }, (_, index) =>
    rule({
      route: `shop/route-${index}`,
      matches: [{ path: exact(`/${index}`) }],
      rest: { backends: [to('a')] },
    }),
  );

export function root() {
  return makeRoot('Authority of the distribution tests', 1);
}

export function serving(issuer: ReturnType<typeof root>) {
  const { certificate, key } = issueServerCertificate(issuer, ['127.0.0.1'], 1);
  return { certificate, key: key.export({ type: 'pkcs8', format: 'pem' }) as string };
}

/** Waits for something that other events bring about; fails with what was missing. */
export async function until(what: string, holds: () => boolean, patience = 10_000): Promise<void> {
  const deadline = performance.now() + patience;
  while (!holds()) {
    if (performance.now() > deadline) throw new Error(`waited in vain until ${what}`);
    await new Promise((resolve) => setTimeout(resolve, 5));
  }
}

export class ControlPlane {
  readonly folder = mkdtempSync(join(tmpdir(), 'gatewright-distribution-'));
  readonly caFile = join(this.folder, 'ca.pem');
  readonly tokens = new Map<string, TokenOwner>([
    [TOKEN, { namespace: 'infra', serviceAccount: 'gw-data-plane' }],
  ]);
  readonly events: string[] = [];
  readonly views: ReplicaView[] = [];
  readonly issuer = root();
  port = 0;
  #distribution: Distribution | undefined;
  readonly #snapshots = new Map<string, Snapshot>();
  readonly #options: Partial<DistributionOptions>;

  constructor(options: Partial<DistributionOptions> = {}) {
    this.#options = options;
    writeFileSync(this.caFile, this.issuer.certificate);
  }

  static async start(options: Partial<DistributionOptions> = {}): Promise<ControlPlane> {
    const control = new ControlPlane(options);
    await control.up();
    return control;
  }

  get distribution(): Distribution {
    return this.#distribution!;
  }

  /** Where it was before, if it was. Knows nothing then. */
  async up(): Promise<void> {
    this.#snapshots.clear();
    this.#distribution = new Distribution({
      verify: async (token) => this.tokens.get(token),
      accountOf: ({ name }) => `${name}-data-plane`,
      certificate: serving(this.issuer),
      address: '127.0.0.1',
      port: this.port,
      onEvent: (message) => this.events.push(message),
      onReplica: (_, view) => this.views.push(view),
      ...this.#options,
    });
    this.port = await this.#distribution.listen();
  }

  async down(): Promise<void> {
    await this.#distribution?.close();
    this.#distribution = undefined;
  }

  publish(order: Order, ...states: readonly State[]): Snapshot[] {
    const endpoints = new Map<string, BackendEndpoints>();
    const certificates = new Map<string, CertificateBundle>();
    const deltas = states.map(({ gateway = GATEWAY, resources, ...rest }) => {
      const next = snapshotOf(gateway, resources);
      const before = this.#snapshots.get(gatewayKey(gateway));
      this.#snapshots.set(gatewayKey(gateway), next);
      for (const [name, places] of Object.entries(rest.endpoints ?? {})) {
        endpoints.set(backendKey(name), { backend: backendKey(name), endpoints: places });
      }
      for (const bundle of rest.certificates ?? []) certificates.set(bundle.id, bundle);
      return before?.version === next.version ? undefined : difference(before, next);
    });
    this.change(order, { deltas: deltas.filter((delta) => delta !== undefined), endpoints, certificates });
    return states.map(({ gateway = GATEWAY }) => this.#snapshots.get(gatewayKey(gateway))!);
  }

  change(order: Order, change: Partial<TranslationChange>): void {
    this.distribution.publish(order, { ...NO_CHANGE, ...change });
  }

  get view(): ReplicaView | undefined {
    return this.views.at(-1);
  }

  /** The last word about the data plane is that it serves this. */
  serves(snapshot: Snapshot): Promise<void> {
    return until(
      `version ${snapshot.version} is served`,
      () => this.view?.acked?.version === snapshot.version,
    );
  }

  /** For a data plane of GATEWAY, with a token and a folder of its own. */
  options(replica = 'gw-1', token = TOKEN): DataPlaneOptions & { events: string[] } {
    const tokenFile = join(this.folder, `token-${replica}`);
    writeFileSync(tokenFile, `${token}\n`);
    const events: string[] = [];
    return {
      gateway: GATEWAY,
      replica,
      host: '127.0.0.1',
      port: this.port,
      caFile: this.caFile,
      tokenFile,
      regex: re2,
      address: '127.0.0.1',
      bindPort: () => 0,
      admin: { address: '127.0.0.1', port: 0 },
      folder: join(this.folder, `state-${replica}`),
      onEvent: (message) => events.push(message),
      backoff: { first: 10, longest: 100 },
      events,
    };
  }

  async remove(): Promise<void> {
    await this.down();
    rmSync(this.folder, { recursive: true, force: true });
  }
}
