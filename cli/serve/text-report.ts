/** The report of `serve` for people: what is served and what changes on standard output, what is wrong on standard error. */
import { existsSync, readFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { shownPath } from '../../gateway-runtime/control/files.ts';
import type { LoopChange } from '../../gateway-runtime/control/loop.ts';
import { formatSourceProblem } from '../../gateway-runtime/control/source.ts';
import { diffText } from '../../gateway-runtime/diff/text.ts';
import { type Diagnostic, formatDiagnostic } from '../../gateway-runtime/snapshot/diagnostic.ts';
import { type GatewayId, gatewayKey } from '../../gateway-runtime/snapshot/snapshot.ts';
import type { AppProblem } from '../app/messages.ts';
import { severityStyle } from '../show/severity-style.ts';
import { trafficChanges } from '../show/traffic-changes.ts';
import { appProblem, type SourceReport, unrepeated } from '../sources.ts';
import { counted, folded, print, tell, tellProblem, WIDTH } from '../terminal.ts';
import { overview } from './overview.ts';
import { portsNotBound } from './ports-not-bound.ts';
import {
  type Changed,
  diagnosticsOf,
  echoed,
  isRefused,
  type NothingYet,
  type Report,
  refusedCount,
  type Started,
  standInWarnings,
  type View,
} from './report.ts';

/** Changes of one edit beyond these are counted, not shown. */
const MOST_CHANGES = 20;
/** Of a list in a sentence. */
const MOST_NAMES = 3;

export class TextReport implements Report {
  /** Each diagnostic is told once, until it is gone and comes again. By object or data plane. */
  readonly #told = new Map<string, ReadonlySet<string>>();
  readonly #typeErrors = new Map<string, string>();
  readonly #all: boolean;

  /** `all`: a command for every route, where a few are enough otherwise. */
  constructor({ all = false } = {}) {
    this.#all = all;
  }

  appOutput(text: string): void {
    process.stderr.write(text);
  }

  started(started: Started): void {
    const { loop, made, change, read, admin, apps, mappings, workers, milliseconds } = started;
    // In the order in which their ports were given out, which is that of the sources.
    for (const [index, { gateway }] of started.ports.inOrder(change.gateways).entries())
      this.#overview(started, gateway, index > 0);
    this.#problems(read, change, started);
    const names = echoed(loop);
    if (names.length > 0) {
      paragraph(
        `Echoed, since nothing says where they run: ${this.#few(names)}. A real one: --backend ${names[0]}=http://127.0.0.1:3000`,
      );
    }
    for (const { name, backend, endpoint } of mappings) {
      if (loop.sendsTo(backend)) print(`Mapped: ${name} to ${endpoint.address}:${endpoint.port}`);
      else tellProblem(`warning --backend ${name}: no route sends to this port of a Service.`);
    }
    if (made) {
      paragraph(`Certificates that are missing are made here; their root is ${made.caFile}.`);
      if (made.clientFile)
        paragraph(`Clients have theirs from the same root: ${made.clientFile} has one, with its key.`);
    }
    if (admin.problem !== undefined) tellProblem(admin.problem);
    else print(`Health, metrics, snapshot and explain: ${admin.url}`);
    const refused = refusedCount(started);
    const leftOut = refused > 0 ? ` ${counted(refused, 'object')} left out: the errors say why.` : '';
    const inWorkers = workers > 1 ? `, ${workers} workers each` : '';
    print(
      `${counted(change.gateways.length, 'Gateway')} live after ${Math.round(milliseconds)} ms${inWorkers}.${leftOut}`,
    );
    const unbound = portsNotBound(change.gateways).length;
    if (unbound > 0) tell(`${counted(unbound, 'port')} not served. ${started.otherPorts}.`);
    for (const app of apps) suggestEdit(app);
  }

  nothingYet(state: NothingYet): void {
    this.#problems(state.read, state.change, state);
    tell('Nothing is served yet: mend the error and save.');
  }

  watching(): void {
    print('Watching: save a file, and its change is live. Ctrl-C stops.');
  }

  changed(changed: Changed): void {
    const { read, change, files, milliseconds } = changed;
    const names = files.map(shownPath).join(', ');
    const time = new Date().toTimeString().slice(0, 8);
    const partly = read.problems.some(({ severity }) => severity === 'error');
    print();
    if (isRefused(changed)) {
      const still =
        changed.loop.agents.size === 0
          ? 'nothing is served yet'
          : 'not applied, what was served before is served still';
      paragraph(`${time} ${names}: ${still}`);
    } else {
      paragraph(
        `${time} ${names}: live after ${Math.round(milliseconds)} ms${partly ? ', but for what is refused' : ''}`,
      );
      this.#traffic(changed);
    }
    for (const { gateway, before } of change.gateways) if (!before) this.#overview(changed, gateway);
    this.#problems(read, change, changed);
  }

  typeErrors(app: string, problems: readonly AppProblem[]): void {
    const lines = problems.map((each) => formatSourceProblem(appProblem(each, app)));
    const text = lines.join('\n');
    if (text === (this.#typeErrors.get(app) ?? '')) return;
    this.#typeErrors.set(app, text);
    if (problems.length === 0) print('The types are right again.');
    else tell(`${counted(problems.length, 'type error')}; what is served does not depend on types:`);
    for (const line of lines) tellProblem(line);
  }

  workerEvent(gateway: GatewayId, message: string): void {
    tellProblem(`warning Gateway ${gatewayKey(gateway)}: ${message}.`);
  }

  failed(error: unknown): void {
    tellProblem(
      `error the edit could not be applied: ${error instanceof Error ? error.message : String(error)}.`,
    );
  }

  stopping(): void {
    print('Stopping: no new connections, requests in flight are answered.');
  }

  #few(names: readonly string[]): string {
    const more = names.length - MOST_NAMES;
    return this.#all || more <= 1
      ? names.join(', ')
      : `${names.slice(0, MOST_NAMES).join(', ')} and ${more} more`;
  }

  #traffic(changed: Changed): void {
    const regions = trafficChanges(changed.change, changed);
    if (regions.length === 0) print('  no request goes another way');
    for (const line of diffText(regions, { most: MOST_CHANGES, style: severityStyle })) print(line);
  }

  /** `isOther`: after one that had commands to try. */
  #overview({ loop, ports, address, made }: View, gateway: GatewayId, isOther = false): void {
    const key = gatewayKey(gateway);
    const agent = loop.agents.get(key);
    if (!agent?.snapshot) return;
    const planned = ports.planned(gateway);
    const shown = { all: this.#all, isOther };
    print(overview({ key, agent, ports: planned, address, ...shown, ...(made ? { made } : {}) }).join('\n'));
  }

  #problems({ problems, passedOver }: SourceReport, change: LoopChange, view: View): void {
    const { loop, originOf } = view;
    const standIns = new Set(standInWarnings(view));
    for (const text of standIns) if (!this.#toldStandIns.has(text)) tellProblem(text);
    this.#toldStandIns = standIns;
    for (const problem of unrepeated(problems, loop.translation.diagnostics)) {
      tellProblem(formatSourceProblem(problem));
    }
    for (const [key, diagnostics] of diagnosticsOf(change)) {
      const before = this.#told.get(key);
      const now = new Set(diagnostics.map((each: Diagnostic) => formatDiagnostic(each, originOf)));
      this.#told.set(key, now);
      for (const text of now) if (!before?.has(text)) tellProblem(text);
    }
    if (passedOver.size === 0 || this.#toldPassedOver) return;
    this.#toldPassedOver = true;
    const total = [...passedOver.values()].reduce((sum, count) => sum + count, 0);
    const [first] = [...passedOver.keys()].sort();
    const kinds = passedOver.size > 1 ? `${first} and ${counted(passedOver.size - 1, 'other kind')}` : first;
    tell(folded(`Passed over ${counted(total, 'object')} without use here: ${kinds}.`, WIDTH).join('\n'));
  }

  #toldStandIns: ReadonlySet<string> = new Set();
  /** Once is enough: it is hardly ever news. */
  #toldPassedOver = false;
}

/** One thing to try, for the storefront of the examples. */
function suggestEdit(app: string): void {
  const file = join(dirname(app), 'shop.ts');
  if (!app.endsWith(join('storefront', 'app.ts')) || !existsSync(file)) return;
  if (!readFileSync(file, 'utf8').includes('weights: [3, 1]')) return;
  paragraph(`Try an edit: change the weights 3:1 to 1:1, [3, 1] to [1, 1], in ${shownPath(file)}, and save.`);
}

function paragraph(text: string): void {
  print(folded(text, WIDTH).join('\n'));
}
