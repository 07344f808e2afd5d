/**
 * A replica of the control plane: what is in the cluster, translated, goes to the data planes that dial here; what they answer goes
 * into statuses where this replica leads, and to the one that leads otherwise.
 */
import { refKey } from '../api/object.ts';
import type { ApiClient } from '../control/cluster/client.ts';
import { Cluster, type ClusterOptions } from '../control/cluster.ts';
import { Distribution } from '../control/distribution.ts';
import { Authority, type AuthorityTimes } from '../control/distribution-authority.ts';
import type { TokenOwner } from '../control/distribution-guest.ts';
import { sessionKey } from '../control/session-key.ts';
import { DISTRIBUTION_LIMITS, type DistributionLimits } from '../distribution/limits.ts';
import type { Order } from '../distribution/order.ts';
import type { Place } from '../distribution/process.ts';
import type { RegexEngine } from '../match/regex.ts';
import { generatedName } from '../snapshot/generated-names.ts';
import { type GatewayId, gatewayKey } from '../snapshot/snapshot.ts';
import { NO_CHANGE, type TranslationChange } from '../translate/translation.ts';
import { ACKS_PROTOCOL, AckReceiver, AckSender } from './acks.ts';
import { ControlAdmin, type Inspected } from './admin.ts';
import { authoritySecret } from './authority-secret.ts';
import { KnownGateways } from './known-gateways.ts';
import type { ProvisionerPort } from './provisioner-port.ts';
import { Statuses } from './statuses.ts';
import { TokenReviews } from './token-review.ts';
import { HERE, Views } from './views.ts';

/** What a provisioner is told of the replica in which it runs. */
export interface ProvisionerSurroundings {
  readonly client: ApiClient;
  readonly mayWrite: () => boolean;
  readonly onState: (gateway: GatewayId) => void;
  readonly onEvent: (message: string) => void;
}

export interface ControlPlaneOptions {
  readonly client: ApiClient;
  readonly regex: RegexEngine;
  /** Ours: of the Lease and of the authority's Secret. */
  readonly namespace: string;
  /** Never the same for two processes. */
  readonly identity: string;
  /** For data planes; port 0 is any free one. */
  readonly listen: Place;
  /** Where the other replicas reach `listen`; absent: they can't, and what their data planes say is lost to a leader here. */
  readonly peerAddress?: string;
  /** Our own token for TOKEN_AUDIENCE, asked whenever it is shown; absent: the leader does not hear of our data planes. */
  readonly token?: () => Promise<string>;
  readonly admin: Place;
  /** DNS names and addresses under which data planes and replicas dial; at least one. */
  readonly names: readonly string[];
  /** Absent: data planes are run by somebody else, under service accounts named as those of the provisioner. */
  readonly provisioner?: (surroundings: ProvisionerSurroundings) => ProvisionerPort;
  /** What operators may want to read, as a sentence. */
  readonly onEvent: (message: string) => void;
  readonly election?: ClusterOptions['election'];
  readonly authorityTimes?: AuthorityTimes;
  readonly limits?: Partial<DistributionLimits>;
}

/** Milliseconds between looks at what changes without a sign: the order of what was read, and who leads. */
const TICK = 500;

export class ControlPlane {
  readonly #options: ControlPlaneOptions;
  readonly #cluster: Cluster;
  readonly #distribution: Distribution;
  readonly #authority: Authority;
  readonly #provisioner: ProvisionerPort | undefined;
  readonly #admin: ControlAdmin;
  readonly #reviews: TokenReviews;
  readonly #views: Views;
  readonly #statuses: Statuses;
  readonly #receiver: AckReceiver;
  readonly #sender: AckSender | undefined;
  #bundle: string | undefined;
  #sessionSecrets: readonly string[] = [];
  readonly #gateways = new KnownGateways();
  #order: Order | undefined;
  #hasCertificate = false;
  /** Towards serving data planes. */
  #isComingUp = false;
  #isStopping = false;
  /** And this was told. */
  #isMute = false;
  #timer: NodeJS.Timeout | undefined;
  /** Where data planes are served, once they are. */
  port = 0;

  constructor(options: ControlPlaneOptions) {
    this.#options = options;
    const { client, regex, namespace, identity, listen, admin, names, election, token, peerAddress } =
      options;
    const limits = { ...DISTRIBUTION_LIMITS, ...options.limits };
    const onEvent = (message: string) => this.#tell(message);
    this.#admin = new ControlAdmin({ ...admin, inspect: () => this.#inspected() });
    this.#cluster = new Cluster({
      client,
      regex,
      namespace,
      identity,
      election: {
        ...election,
        address: () => (peerAddress && this.port ? `${peerAddress}:${this.port}` : undefined),
      },
      onEvent,
      onChange: (change) => this.#publish(change),
      onProblems: (problems) => {
        for (const { severity, object, message, fix } of problems) {
          onEvent(`${severity}: ${refKey(object)}: ${message}.${fix ? ` Fix: ${fix}.` : ''}`);
        }
      },
      onLeading: (epoch) => this.#lead(epoch !== undefined),
      complete: (status) => this.#statuses.complete(status),
      onObject: (ref, object) => {
        this.#statuses.observe(ref, object);
        this.#provisioner?.observe(ref, object);
      },
      onTranslated: (milliseconds) => this.#admin.translated(milliseconds),
    });
    this.#provisioner = options.provisioner?.({
      client,
      mayWrite: () => this.#cluster.epoch !== undefined,
      onState: (gateway) => this.#statuses.changed(gateway),
      onEvent,
    });
    this.#views = new Views((gateway) => this.#statuses.changed(gateway));
    this.#statuses = new Statuses({
      views: (gateway) => this.#views.of(gateway),
      infrastructure: (gateway) => this.#provisioner?.stateOf(gateway) ?? { pods: [] },
      reconsider: (ref) => this.#cluster.reconsider(ref),
    });
    this.#reviews = new TokenReviews({ client });
    const verify = (shown: string) => this.#reviews.verify(shown);
    this.#receiver = new AckReceiver({
      limits,
      verify,
      isOurs: (owner) => this.#isOurs(owner),
      onView: (observer, gateway, view) => this.#views.put(observer, gateway, view),
      onLost: (observer) => this.#views.lost(observer),
      onEvent,
    });
    this.#sender =
      token &&
      new AckSender({
        limits,
        identity,
        serverName: names[0]!,
        authorities: () => this.#bundle,
        token,
        views: () => this.#views.connectedTo(HERE),
        onEvent,
      });
    this.#distribution = new Distribution({
      ...listen,
      verify,
      others: new Map([[ACKS_PROTOCOL, (socket) => this.#receiver.accept(socket)]]),
      onReplica: (gateway, view) => {
        this.#views.put(HERE, gateway, view);
        this.#sender?.send(gateway, view);
      },
      accountOf: (gateway) => this.#accountOf(gateway),
      sessionKeys: (gateway) => this.#sessionSecrets.map((secret) => sessionKey(secret, gateway)),
      onEvent,
      limits,
    });
    this.#authority = new Authority({
      store: authoritySecret(client, namespace),
      names,
      mayWrite: () => this.#cluster.epoch !== undefined,
      onBundle: (bundle) => {
        this.#bundle = bundle;
        this.#provisioner?.trust(bundle);
      },
      onSessionSecrets: (secrets) => {
        this.#sessionSecrets = secrets;
      },
      onServing: (certificate) => {
        this.#distribution.certificate = certificate;
        this.#hasCertificate = true;
        this.#comeUp();
      },
      onEvent,
      ...(options.authorityTimes ? { times: options.authorityTimes } : {}),
    });
  }

  /** Number of our time as leader; undefined where another leads. */
  get epoch(): number | undefined {
    return this.#cluster.epoch;
  }

  /**
   * Resolves with the port of admin; all else comes up as the cluster allows. Rejects where the port can't be bound. It may be stopped before that,
   * and then begins nothing more.
   */
  async start(): Promise<number> {
    const port = await this.#admin.listen();
    if (this.#isStopping) return port;
    this.#cluster.start();
    await this.#authority.start();
    if (!this.#isStopping) this.#timer = setInterval(() => this.#tick(), TICK);
    return port;
  }

  /** Gives the Lease back and sends data planes to other replicas. What they serve is not touched. */
  async stop(): Promise<void> {
    this.#isStopping = true;
    clearInterval(this.#timer);
    this.#authority.stop();
    await this.#cluster.stop();
    await this.#provisioner?.stop();
    this.#statuses.follow();
    this.#sender?.stop();
    this.#receiver.close();
    await Promise.all([this.#distribution.close(), this.#admin.close()]);
  }

  /** In a follower, versions are ordered as in the leader: by its epoch, and by how far both have read. */
  #publish(change: TranslationChange): void {
    this.#order = { epoch: this.#cluster.lastEpoch ?? 0, sequence: this.#cluster.sequence };
    const gone = this.#gateways.update(change);
    this.#provisioner?.want(change.infrastructure);
    for (const key of gone) this.#views.gone(key);
    this.#statuses.published(this.#order, change);
    this.#distribution.publish(this.#order, change);
  }

  #tick(): void {
    if (this.port === 0) this.#comeUp();
    const leader = this.#cluster.epoch === undefined ? this.#cluster.leader?.address : undefined;
    this.#sender?.follow(leader);
    if (leader !== undefined && !this.#sender && !this.#isMute) {
      this.#isMute = true;
      this.#tell('found no --token-file: the leader does not hear what data planes say to this replica');
    }
    this.#views.forget();
    if (!this.#cluster.synced) return;
    const { lastEpoch = 0, sequence } = this.#cluster;
    if (this.#order?.epoch !== lastEpoch || this.#order.sequence !== sequence) this.#publish(NO_CHANGE);
  }

  #lead(leads: boolean): void {
    if (leads) {
      this.#statuses.lead();
      this.#provisioner?.lead();
      void this.#authority.refresh();
    } else {
      this.#statuses.follow();
      this.#provisioner?.follow();
    }
    if (!this.#cluster.synced) return;
    this.#publish(NO_CHANGE);
    this.#cluster.reconsiderAll();
  }

  /** Serves data planes, once there is a certificate to show. */
  #comeUp(): void {
    if (this.#isComingUp || this.#isStopping) return;
    this.#isComingUp = true;
    const mayListen = this.#hasCertificate;
    void (mayListen ? this.#listen() : this.#authority.refresh()).then(() => {
      this.#isComingUp = false;
      if (!mayListen && this.#hasCertificate) this.#comeUp();
    });
  }

  async #listen(): Promise<void> {
    try {
      this.port = await this.#distribution.listen();
      this.#tell(`data planes are served at port ${this.port}`);
    } catch (error) {
      const { port } = this.#options.listen;
      this.#tell(`error: data planes can't be served at port ${port}: ${(error as Error).message}`);
    }
  }

  /** Whether a token is of the service account that ours is of. */
  async #isOurs({ namespace, serviceAccount }: TokenOwner): Promise<boolean> {
    const { token } = this.#options;
    const own = token && (await this.#reviews.verify(await token()));
    return own?.namespace === namespace && own.serviceAccount === serviceAccount;
  }

  #tell(message: string): void {
    this.#admin.told();
    this.#options.onEvent(message);
  }

  #accountOf(gateway: GatewayId): string {
    if (this.#provisioner) return this.#provisioner.accountOf(gateway) ?? '';
    const className = this.#gateways.classOf(gatewayKey(gateway));
    return className === undefined ? '' : generatedName(gateway.name, className);
  }

  #inspected(): Inspected {
    const cluster = this.#cluster;
    const problems = { error: 0, warning: 0, info: 0 };
    for (const { severity } of cluster.problems) problems[severity]++;
    const unready = this.#isStopping
      ? 'it stops'
      : !cluster.synced
        ? 'not everything was read from the API server yet'
        : this.port === 0
          ? `there is no authority for data planes yet; the leader makes it`
          : undefined;
    return {
      unready,
      leads: cluster.epoch !== undefined,
      statusWrites: cluster.statusWrites,
      problems,
      informers: Object.fromEntries(
        [...cluster.collections].map(([kind, { phase }]) => [kind, phase === 'synced']),
      ),
      streams: Object.fromEntries(
        this.#gateways.keys.map((key) => {
          const [namespace, name] = key.split('/') as [string, string];
          return [key, this.#distribution.replicas({ namespace, name }).length];
        }),
      ),
      snapshots: () => cluster.translation.snapshots.values(),
    };
  }
}
