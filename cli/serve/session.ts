/**
 * One run of `serve`: sources are read and watched, the loop serves what they say, and the report tells people about both. An
 * edit that can't be used changes nothing that is served.
 */
import { stat } from 'node:fs/promises';
import { fileURLToPath } from 'node:url';
import { Admin } from '../../gateway-runtime/admin/admin.ts';
import { refKey } from '../../gateway-runtime/api/object.ts';
import type { BackendMapping } from '../../gateway-runtime/control/backend-mapping.ts';
import {
  LocalCertificates,
  missingAuthorities,
  missingSecrets,
} from '../../gateway-runtime/control/certificates.ts';
import { shownPath } from '../../gateway-runtime/control/files.ts';
import { Loop, type LoopChange } from '../../gateway-runtime/control/loop.ts';
import {
  type MissingService,
  missingServices,
  standInService,
} from '../../gateway-runtime/control/missing-services.ts';
import { PortPlan } from '../../gateway-runtime/control/port-plan.ts';
import {
  formatSourceProblem,
  type SourcedObject,
  type SourceProblem,
} from '../../gateway-runtime/control/source.ts';
import { Watcher } from '../../gateway-runtime/control/watch.ts';
import type { RefusedRoute } from '../../gateway-runtime/explain/explanation.ts';
import { Metrics } from '../../gateway-runtime/proxy/telemetry/metrics.ts';
import { re2 } from '../../gateway-runtime/regex/re2.ts';
import type { Backend } from '../../gateway-runtime/snapshot/snapshot.ts';
import type { AppProblem } from '../app/messages.ts';
import { TypeCheck } from '../app/type-check.ts';
import { refusedAmong } from '../show/refused-routes.ts';
import { type SourceReport, Sources } from '../sources.ts';
import { CommandError, tellProblem } from '../terminal.ts';
import { otherPorts, portsNotBound, remedy } from './ports-not-bound.ts';
import type { AdminPlace, Report, View } from './report.ts';

/** The parts of the objects that nobody wrote. After all paths in order, so that what is written goes first. */
const LOCAL_CERTIFICATES = '\uffff local certificates';
const LOCAL_AUTHORITIES = '\uffff local authorities';
const LOCAL_SERVICES = '\uffff local services';

/**
 * Milliseconds after an edit until types are checked and processes for the next edits are started, both of which take the processor for longer
 * than an edit. Another edit right behind it goes first.
 */
const AFTERWARDS = 200;

const WORKER = fileURLToPath(
  new URL(`./worker-child.${import.meta.url.endsWith('.ts') ? 'ts' : 'js'}`, import.meta.url),
);

const NOTHING: LoopChange = { gateways: [], diagnostics: new Map() };

export interface ServeOptions {
  readonly paths: readonly string[];
  readonly address: string;
  readonly portOffset: number | 'free';
  readonly admin: { readonly address: string; readonly port: number };
  readonly mappings: readonly BackendMapping[];
  /** Default: Gateways of any class. */
  readonly classes: 'any' | readonly string[];
  readonly strict: boolean;
  /** Seconds that an app may take. */
  readonly appTimeout: number;
  /** Addresses and CIDRs of proxies in front. */
  readonly trustedHops: readonly string[];
  /** Called with whole lines, without the last line end. */
  readonly accessLog?: (lines: string) => void;
  /** Processes that serve each Gateway; with 1, this one does. */
  readonly workers: number;
}

export class Session {
  readonly #options: ServeOptions;
  readonly #report: Report;
  readonly #sources: Sources;
  readonly #loop: Loop;
  readonly #ports: PortPlan;
  readonly #typeChecks = new Map<string, TypeCheck>();
  readonly #admin: Admin;
  #certificates: LocalCertificates | undefined;
  #standIns: readonly MissingService[] = [];
  #watcher: Watcher | undefined;
  #hasBegun = false;
  readonly #brokenApps = new Set<string>();
  #isStopping = false;
  /** That are not applied yet. */
  #edits = 0;
  #afterwards: NodeJS.Timeout | undefined;
  /** Apps that were edited since their types were checked. */
  readonly #unchecked = new Set<string>();
  /** Edits are read and applied one after the other. */
  #last: Promise<void> = Promise.resolve();

  static async start(options: ServeOptions, report: Report): Promise<Session> {
    const sources = await Sources.of(options.paths, {
      print: (text) => report.appOutput(text),
      timeout: options.appTimeout,
    });
    const session = new Session(options, report, sources);
    try {
      await session.#begin();
    } catch (error) {
      await session.close();
      throw error;
    }
    return session;
  }

  private constructor(options: ServeOptions, report: Report, sources: Sources) {
    this.#options = options;
    this.#report = report;
    this.#sources = sources;
    const { address, portOffset, admin, mappings, classes, strict, trustedHops, accessLog, workers } =
      options;
    this.#ports = new PortPlan({
      offset: portOffset,
      address,
      reserved: admin.address === address ? [admin.port] : [],
    });
    const metrics = new Metrics({ process: true });
    this.#loop = new Loop({
      regex: re2,
      classes,
      address,
      ports: this.#ports,
      mappings,
      echo: !strict,
      trustedHops,
      metrics,
      ...(accessLog ? { accessLog } : {}),
      workers: {
        count: workers,
        program: { file: WORKER },
        onEvent: (gateway, message) => report.workerEvent(gateway, message),
      },
    });
    this.#admin = new Admin({
      gateways: () => this.#loop.agents.values(),
      metrics,
      regex: re2,
      refused: (host) => this.#refusedRoutes(host),
      originOf: (ref) => this.#sources.objects.origin(ref),
      ...admin,
    });
  }

  async drain(): Promise<void> {
    this.#isStopping = true;
    await this.#watcher?.close();
    await this.#last;
    await this.#loop.drain();
    await this.close();
  }

  async close(): Promise<void> {
    this.#isStopping = true;
    clearTimeout(this.#afterwards);
    await this.#watcher?.close();
    for (const check of this.#typeChecks.values()) check.close();
    this.#sources.close();
    await this.#loop.close();
    await this.#admin.close();
    await this.#certificates?.remove();
  }

  async #begin(): Promise<void> {
    const started = performance.now();
    const found = await this.#sources.read();
    this.#remember(found);
    this.#refuse(this.#missingForStrict());
    await this.#addStandIns();
    const read = this.#withoutStandIns(found);
    const change = await this.#loop.apply(this.#sources.objects.take());
    if (this.#loop.agents.size > 0) {
      this.#refuse(this.#unreachableForStrict(this.#loop.unreachable));
      this.#refuseWithoutPorts(change);
      await this.#begun(read, change, performance.now() - started);
    } else {
      this.#refuseWithoutGateways(read);
      this.#report.nothingYet({ ...this.#view(), read, change });
    }
    this.#watcher = new Watcher(this.#sources.watched(), (changed) => this.#edited(changed));
    await this.#watcher.ready();
    for (const app of this.#sources.apps) {
      const check = new TypeCheck(app, (problems) => this.#typesChecked(app, problems));
      this.#typeChecks.set(app, check);
      check.check();
    }
    this.#sources.warm();
    this.#report.watching();
  }

  /** There is something to serve, for the first time. */
  async #begun(read: SourceReport, change: LoopChange, milliseconds: number): Promise<void> {
    this.#hasBegun = true;
    this.#report.started({
      ...this.#view(),
      read,
      change,
      admin: await this.#openAdmin(),
      apps: this.#sources.apps,
      mappings: this.#options.mappings,
      otherPorts: otherPorts(this.#options.portOffset),
      milliseconds,
    });
  }

  #typesChecked(app: string, problems: readonly AppProblem[]): void {
    // What is no program was told by whoever tried to run it, and little else can be said of its types.
    if (this.#brokenApps.has(app) && problems.some(({ isSyntax }) => isSyntax)) return;
    this.#report.typeErrors(app, problems);
  }

  #remember({ apps, brokenApps }: SourceReport): void {
    for (const app of apps) this.#brokenApps.delete(app);
    for (const app of brokenApps) this.#brokenApps.add(app);
  }

  #view(): View {
    return {
      loop: this.#loop,
      ports: this.#ports,
      address: this.#options.address,
      workers: this.#options.workers,
      made: this.#certificates?.made,
      standIns: this.#standIns,
      originOf: (ref) => this.#sources.objects.origin(ref),
    };
  }

  #edited(changed: ReadonlySet<string>): void {
    const files = this.#sources.ours(changed);
    if (files.size === 0) return;
    this.#sources.supersede(files);
    clearTimeout(this.#afterwards);
    this.#edits++;
    this.#last = this.#last
      .then(() => this.#applyEdit(files))
      .catch((error) => this.#report.failed(error))
      .then(() => this.#workAfterwards(--this.#edits));
  }

  async #applyEdit(files: ReadonlySet<string>): Promise<void> {
    const saved = await latestSave(files);
    for (const app of this.#sources.appsOf(files)) {
      this.#typeChecks.get(app)?.outdate();
      this.#unchecked.add(app);
    }
    let read = await this.#sources.readChanged(files);
    if (this.#isStopping) return;
    this.#remember(read);
    await this.#addStandIns();
    read = this.#withoutStandIns(read);
    const refusals = this.#refusalsOfEdit(files);
    let change = NOTHING;
    // What is refused stays in the set, and goes live with the edit that mends it.
    if (refusals.length > 0) read = { ...read, problems: [...read.problems, ...refusals] };
    else change = await this.#loop.apply(this.#sources.objects.take());
    if (!read.superseded) {
      const milliseconds = Math.max(0, Date.now() - saved);
      if (!this.#hasBegun && this.#loop.agents.size > 0) await this.#begun(read, change, milliseconds);
      else this.#report.changed({ ...this.#view(), read, change, files: [...files], milliseconds });
    }
    this.#watcher?.add(this.#sources.watched());
  }

  #workAfterwards(editsLeft: number): void {
    if (editsLeft > 0 || this.#isStopping) return;
    this.#afterwards = setTimeout(() => {
      this.#sources.warm();
      for (const app of this.#unchecked) this.#typeChecks.get(app)?.check();
      this.#unchecked.clear();
    }, AFTERWARDS);
  }

  /** What an app's own checks say of Services that have a stand-in is told with the stand-ins. */
  #withoutStandIns(read: SourceReport): SourceReport {
    const said = this.#standIns.map(({ ref }) => `: Service ${ref.namespace}/${ref.name} does not exist.`);
    const problems = read.problems.filter(
      ({ severity, message }) => severity !== 'warning' || !said.some((text) => message.includes(text)),
    );
    return { ...read, problems };
  }

  /** A Secret, Service or ConfigMap of authorities that is missing here gets one in its place, unless `--strict` wants it written. */
  async #addStandIns(): Promise<void> {
    if (this.#options.strict) return;
    const { objects } = this.#sources;
    objects.remove(LOCAL_CERTIFICATES);
    objects.remove(LOCAL_SERVICES);
    objects.remove(LOCAL_AUTHORITIES);
    const secrets = missingSecrets(objects.objects());
    this.#standIns = missingServices(objects.objects());
    const authorities = missingAuthorities(objects.objects());
    if (secrets.length + authorities.length > 0) this.#certificates ??= await LocalCertificates.create();
    const put = (part: string, made: readonly SourcedObject[]) =>
      objects.put(part, { objects: made, problems: [], broken: false });
    put(LOCAL_CERTIFICATES, this.#certificates?.secretsFor(secrets) ?? []);
    put(LOCAL_AUTHORITIES, (await this.#certificates?.authoritiesFor(authorities)) ?? []);
    put(LOCAL_SERVICES, this.#standIns.map(standInService));
  }

  /** For `/explain`. What was refused in files was told when they were read. */
  #refusedRoutes(host: string): RefusedRoute[] {
    const objects = this.#sources.objects.objects();
    return refusedAmong({ objects, problems: [], translation: this.#loop.translation }, host);
  }

  /** Where it is, or why there is none: traffic matters more, so a second `serve` does without. */
  async #openAdmin(): Promise<AdminPlace> {
    const { address, port } = this.#options.admin;
    try {
      return {
        url: `http://${address.includes(':') ? `[${address}]` : address}:${await this.#admin.listen()}`,
      };
    } catch (error) {
      const { code, message } = error as NodeJS.ErrnoException;
      const reason =
        code === 'EADDRINUSE' ? 'is in use by another process' : `can't be bound (${code ?? message})`;
      return {
        problem: `warning no admin server: ${address}:${port} ${reason}. Fix: choose another one, --admin ${address}:${port + 1}.`,
      };
    }
  }

  /** With some of the ports there is something to look at; with none of them, a running process would only mislead. */
  #refuseWithoutPorts(change: LoopChange): void {
    const unbound = portsNotBound(this.#ports.inOrder(change.gateways));
    const bound = [...this.#loop.agents.values()].some((agent) =>
      this.#ports.planned(agent.gateway).some(({ port }) => agent.boundPort(port) !== undefined),
    );
    if (bound || unbound.length === 0) return;
    throw new CommandError(
      `error none of the ports can be had:\n${unbound.map(({ message }) => `  ${message}`).join('\n')}\n${remedy(unbound, this.#options.portOffset)}.`,
    );
  }

  #refuseWithoutGateways({ problems, brokenApps }: SourceReport): void {
    // An app that is broken now is mended by an edit, which is waited for.
    if (brokenApps.length > 0) return;
    const { paths, classes } = this.#options;
    const otherClass = classes === 'any' ? '' : ', or leave --class out';
    for (const problem of problems) tellProblem(formatSourceProblem(problem));
    throw new CommandError(
      problems.some(({ severity }) => severity === 'error')
        ? `error nothing can be served. Mend the errors above${otherClass && `${otherClass},`} and start again.`
        : `error no Gateway to serve in ${paths.join(', ')}. ${this.#sources.whatToName}${otherClass}.`,
    );
  }

  #refuse(refusal: Refusal | undefined): void {
    if (refusal)
      throw new CommandError(
        `error ${refusal.message}:\n${refusal.list.join('\n')}\n${refusal.fix}, or leave --strict out.`,
      );
  }

  #refusalsOfEdit(files: ReadonlySet<string>): SourceProblem[] {
    if (!this.#options.strict) return [];
    const objects = [...this.#sources.objects.objects()].map(({ raw }) => raw);
    const refusals = [
      this.#missingForStrict(),
      this.#unreachableForStrict(this.#loop.unreachableWith(objects)),
    ];
    return refusals
      .filter((each) => each !== undefined)
      .map(({ message, list, fix }) => ({
        severity: 'error',
        file: [...files].map(shownPath).join(', '),
        message: `the edit is not applied, since ${message}: ${list.map((each) => each.trim()).join('; ')}`,
        fix: `${fix.charAt(0).toLowerCase()}${fix.slice(1)}`,
      }));
  }

  #missingForStrict(): Refusal | undefined {
    if (!this.#options.strict) return undefined;
    const missing = missingSecrets(this.#sources.objects.objects());
    if (missing.length === 0) return undefined;
    return {
      message: 'these Secrets are not among the files, and --strict makes none',
      list: missing.map(({ ref, neededBy }) => `  ${refKey(ref)}, needed by ${neededBy.join(', ')}`),
      fix: 'Add them',
    };
  }

  #unreachableForStrict(unreachable: readonly Backend[]): Refusal | undefined {
    const [first] = unreachable;
    if (!this.#options.strict || !first) return undefined;
    return {
      message: 'nothing says where these Services run, and --strict echoes none',
      list: unreachable.map(({ namespace, service, port }) => `  ${namespace}/${service}:${port}`),
      fix: `Add EndpointSlices, or map them (--backend ${first.namespace}/${first.service}:${first.port}=http://127.0.0.1:3000)`,
    };
  }
}

/** What `--strict` does not accept. */
interface Refusal {
  readonly message: string;
  readonly list: readonly string[];
  readonly fix: string;
}

/** When the last of these files was written: what users count from. */
async function latestSave(files: ReadonlySet<string>): Promise<number> {
  const times = await Promise.all(
    [...files].map(async (file) => (await stat(file).catch(() => undefined))?.mtimeMs ?? 0),
  );
  return Math.max(...times) || Date.now();
}
