/**
 * One run of `serve`: sources are read and watched, the loop serves what they say, and the report tells people about both. An
 * edit that can't be used changes nothing that is served.
 */
import { stat } from 'node:fs/promises';
import { Admin } from '../../gateway-runtime/admin/admin.ts';
import { refKey } from '../../gateway-runtime/api/object.ts';
import type { BackendMapping } from '../../gateway-runtime/control/backend-mapping.ts';
import { LocalCertificates, missingSecrets } from '../../gateway-runtime/control/certificates.ts';
import { shownPath } from '../../gateway-runtime/control/files.ts';
import { Loop, type LoopChange } from '../../gateway-runtime/control/loop.ts';
import { PortPlan } from '../../gateway-runtime/control/port-plan.ts';
import { formatSourceProblem, type SourceProblem } from '../../gateway-runtime/control/source.ts';
import { Watcher } from '../../gateway-runtime/control/watch.ts';
import { Metrics } from '../../gateway-runtime/proxy/telemetry/metrics.ts';
import { re2 } from '../../gateway-runtime/regex/re2.ts';
import { TypeCheck } from '../app/type-check.ts';
import { Sources } from '../sources.ts';
import { CommandError, tellProblem, withProgress } from '../terminal.ts';
import type { AdminPlace, Report, View } from './report.ts';

/** The part of the objects that nobody wrote. After all paths in order, so that what is written goes first. */
const LOCAL_PART = '\uffff local certificates';

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
  /** Addresses and CIDRs of proxies in front. */
  readonly trustedHops: readonly string[];
  readonly accessLog?: (line: string) => void;
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
  #watcher: Watcher | undefined;
  /** Edits are read and applied one after the other. */
  #last: Promise<void> = Promise.resolve();

  static async start(options: ServeOptions, report: Report): Promise<Session> {
    const sources = await Sources.of(options.paths, (text) => report.appOutput(text));
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
    const { address, portOffset, admin, mappings, classes, strict, trustedHops, accessLog } = options;
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
    });
    this.#admin = new Admin({ gateways: () => this.#loop.agents.values(), metrics, regex: re2, ...admin });
  }

  async drain(): Promise<void> {
    await this.#watcher?.close();
    await this.#last;
    await this.#loop.drain();
    await this.close();
  }

  async close(): Promise<void> {
    await this.#watcher?.close();
    for (const check of this.#typeChecks.values()) check.close();
    this.#sources.close();
    await this.#loop.close();
    await this.#admin.close();
    await this.#certificates?.remove();
  }

  async #begin(): Promise<void> {
    const started = performance.now();
    const { paths } = this.#options;
    const read = await withProgress(`Reading ${paths.join(', ')}`, this.#sources.read());
    await this.#addCertificates();
    const change = await this.#loop.apply(this.#sources.objects.take());
    this.#refuseWhatIsStrict();
    if (this.#loop.agents.size === 0) {
      const otherClass = this.#options.classes === 'any' ? '' : ', or leave --class out';
      for (const problem of read.problems) tellProblem(formatSourceProblem(problem));
      throw new CommandError(
        read.problems.some(({ severity }) => severity === 'error')
          ? `error nothing can be served. Mend the errors above${otherClass && `${otherClass},`} and start again.`
          : `error no Gateway to serve in ${paths.join(', ')}. Name the files with a Gateway too${otherClass}.`,
      );
    }
    this.#refuseWithoutPorts(change);
    this.#report.started({
      ...this.#view(),
      read,
      change,
      admin: await this.#openAdmin(),
      apps: this.#sources.apps,
      mappings: this.#options.mappings,
      milliseconds: performance.now() - started,
    });
    this.#watcher = new Watcher(this.#sources.watched(), (changed) => this.#edited(changed));
    await this.#watcher.ready();
    for (const app of this.#sources.apps) {
      const check = new TypeCheck(app, (problems) => this.#report.typeErrors(app, problems));
      this.#typeChecks.set(app, check);
      check.check();
    }
    this.#sources.warm();
    this.#report.watching();
  }

  #view(): View {
    return {
      loop: this.#loop,
      ports: this.#ports,
      address: this.#options.address,
      caFile: this.#certificates?.caFile,
      originOf: (ref) => this.#sources.objects.origin(ref),
    };
  }

  #edited(changed: ReadonlySet<string>): void {
    const files = this.#sources.ours(changed);
    if (files.size === 0) return;
    this.#sources.supersede(files);
    this.#last = this.#last.then(() => this.#applyEdit(files)).catch((error) => this.#report.failed(error));
  }

  async #applyEdit(files: ReadonlySet<string>): Promise<void> {
    const saved = await latestSave(files);
    let read = await this.#sources.readChanged(files);
    await this.#addCertificates();
    const tooStrict = this.#unreachableByEdit(files);
    let change = NOTHING;
    // What is refused stays in the set, and goes live with the edit that mends it.
    if (tooStrict.length > 0) read = { ...read, problems: [...read.problems, ...tooStrict] };
    else change = await this.#loop.apply(this.#sources.objects.take());
    if (!read.superseded) {
      const milliseconds = Math.max(0, Date.now() - saved);
      this.#report.changed({ ...this.#view(), read, change, files: [...files], milliseconds });
    }
    this.#watcher?.add(this.#sources.watched());
    this.#sources.warm();
    for (const app of read.apps) this.#typeChecks.get(app)?.check();
  }

  /** A Secret that is missing here gets a local certificate, unless `--strict` wants it written. */
  async #addCertificates(): Promise<void> {
    const { objects } = this.#sources;
    objects.remove(LOCAL_PART);
    const missing = missingSecrets(objects.objects());
    if (missing.length === 0) return;
    if (this.#options.strict) {
      const list = missing.map(({ ref, neededBy }) => `  ${refKey(ref)}, needed by ${neededBy.join(', ')}`);
      // At start only: an edit that needs a certificate is served without it, and the status says so.
      if (!this.#watcher) {
        throw new CommandError(
          `error these Secrets are not among the files, and --strict makes none:\n${list.join('\n')}\nAdd them, or leave --strict out.`,
        );
      }
      return;
    }
    this.#certificates ??= await LocalCertificates.create();
    objects.put(LOCAL_PART, { objects: this.#certificates.secretsFor(missing), problems: [], broken: false });
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
    const unbound = change.gateways
      .flatMap(({ diagnostics }) => diagnostics)
      .filter(({ code }) => code === 'listener/port-not-bound');
    const bound = [...this.#loop.agents.values()].some((agent) =>
      this.#ports.planned(agent.gateway).some(({ port }) => agent.boundPort(port) !== undefined),
    );
    if (bound || unbound.length === 0) return;
    const { portOffset } = this.#options;
    // npm keeps the options before `--` for itself.
    const npmStart = process.env.npm_lifecycle_event === 'start' ? 'npm start -- ' : '';
    const other =
      portOffset === 'free' ? '' : `, or take other ports: ${npmStart}--port-offset ${portOffset + 10_000}`;
    throw new CommandError(
      `error none of the ports can be had:\n${unbound.map(({ message }) => `  ${message}`).join('\n')}\nStop what has them${other}.`,
    );
  }

  /** As `#refuseWhatIsStrict`, of an edit that is not applied yet. */
  #unreachableByEdit(files: ReadonlySet<string>): SourceProblem[] {
    if (!this.#options.strict) return [];
    const objects = [...this.#sources.objects.objects()].map(({ raw }) => raw);
    return this.#loop.unreachableWith(objects).map(({ namespace, service, port }) => ({
      severity: 'error',
      file: [...files].map(shownPath).join(', '),
      message: `nothing says where the Service ${namespace}/${service}:${port} runs, and --strict echoes none, so the edit is not applied`,
      fix: `add EndpointSlices, or start with --backend ${namespace}/${service}:${port}=http://127.0.0.1:3000`,
    }));
  }

  #refuseWhatIsStrict(): void {
    const { unreachable } = this.#loop;
    if (!this.#options.strict || unreachable.length === 0) return;
    const list = unreachable.map(({ namespace, service, port }) => `  ${namespace}/${service}:${port}`);
    const { namespace, service, port } = unreachable[0]!;
    throw new CommandError(
      `error nothing says where these Services run, and --strict echoes none:\n${list.join('\n')}\nAdd EndpointSlices, map them (--backend ${namespace}/${service}:${port}=http://127.0.0.1:3000), or leave --strict out.`,
    );
  }
}

/** When the last of these files was written: what users count from. */
async function latestSave(files: ReadonlySet<string>): Promise<number> {
  const times = await Promise.all(
    [...files].map(async (file) => (await stat(file).catch(() => undefined))?.mtimeMs ?? 0),
  );
  return Math.max(...times) || Date.now();
}
