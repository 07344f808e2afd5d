/** What `serve` tells: as text for people, or one JSON object per line for machines. Problems go to standard error always. */
import type { ObjectRef } from '../../gateway-runtime/api/object.ts';
import type { BackendMapping } from '../../gateway-runtime/control/backend-mapping.ts';
import { shownPath } from '../../gateway-runtime/control/files.ts';
import type { Loop, LoopChange } from '../../gateway-runtime/control/loop.ts';
import type { PortPlan } from '../../gateway-runtime/control/port-plan.ts';
import { formatSourceProblem } from '../../gateway-runtime/control/source.ts';
import { type Diagnostic, formatDiagnostic, type Origin } from '../../gateway-runtime/snapshot/diagnostic.ts';
import type { AppProblem } from '../app/messages.ts';
import { trafficChanges } from '../show/traffic-changes.ts';
import { appProblem, type SourceReport } from '../sources.ts';
import { counted, print, styled, tell, tellProblem, WIDTH, wrapped } from '../terminal.ts';
import { overview } from './overview.ts';

interface View {
  readonly loop: Loop;
  readonly ports: PortPlan;
  readonly address: string;
  readonly caFile: string | undefined;
  readonly originOf: (ref: ObjectRef) => Origin | undefined;
}
export interface Started extends View {
  readonly change: LoopChange;
  readonly apps: readonly string[];
  readonly mappings: readonly BackendMapping[];
  readonly milliseconds: number;
}
export interface Changed extends View {
  readonly read: SourceReport;
  readonly change: LoopChange;
  readonly files: readonly string[];
  readonly milliseconds: number;
}

/** Changed rows of one edit beyond these are counted, not shown. */
const MOST_CHANGES = 20;

export class Report {
  /** Diagnostics that were told, by object or Gateway: each is told once, until it is gone and comes again. */
  readonly #told = new Map<string, Set<string>>();
  readonly #typeErrors = new Map<string, string>();

  appOutput(text: string): void {
    process.stderr.write(text);
  }

  sourceProblems({ problems, passedOver }: SourceReport): void {
    for (const problem of problems) tellProblem(formatSourceProblem(problem));
    if (passedOver.size === 0) return;
    const kinds = [...passedOver].map(([kind, count]) => `${count} ${kind}`).sort();
    tell(`Passed over what serving does not need: ${kinds.join(', ')}.`);
  }

  started({ loop, ports, address, caFile, originOf, change, apps, mappings, milliseconds }: Started): void {
    for (const { gateway } of change.gateways)
      this.#overview({ loop, ports, address, caFile, originOf }, gateway);
    this.#diagnostics(change, originOf);
    const { unreachable } = loop;
    if (unreachable.length > 0) {
      const names = unreachable.map(({ namespace, service, port }) => `${namespace}/${service}:${port}`);
      const [first] = names;
      paragraph(
        `Echoed, since nothing says where they run: ${names.join(', ')}. They answer with the request as it arrives. To reach a real one: --backend ${first}=http://127.0.0.1:3000`,
      );
    }
    if (caFile)
      paragraph(`Certificates of Secrets that are missing here were made now; their root is ${caFile}`);
    for (const { name, endpoint } of mappings)
      print(`Mapped: ${name} to ${endpoint.address}:${endpoint.port}`);
    print(`Live after ${Math.round(milliseconds)} ms: ${counted(change.gateways.length, 'Gateway')}.`);
    void apps;
  }

  watching(): void {
    print('Watching the files: save one, and its change is live.');
  }

  changed(changed: Changed): void {
    const { read, change, files, milliseconds, originOf } = changed;
    const errors = read.problems.filter(({ severity }) => severity === 'error');
    const traffic = trafficChanges(change.gateways);
    const names = files.map(shownPath).join(', ');
    const time = new Date().toTimeString().slice(0, 8);
    print();
    if (change.gateways.length === 0 && errors.length > 0) {
      print(`${time} ${names}: not applied; what was served before goes on being served`);
    } else {
      const rest = errors.length > 0 ? ', but for what is refused below' : '';
      print(`${time} ${names}: live after ${Math.round(milliseconds)} ms${rest}`);
      if (traffic.length === 0) print('  no request goes another way');
    }
    for (const { host, match, before, after } of traffic.slice(0, MOST_CHANGES)) {
      print(`  ${styled('bold', `${host} ${match}`)}`);
      print(`    ${before ?? '404'} -> ${after ?? 'no rule of its own any more'}`);
    }
    if (traffic.length > MOST_CHANGES) print(`  and ${traffic.length - MOST_CHANGES} more`);
    for (const { gateway, before } of change.gateways) if (!before) this.#overview(changed, gateway);
    for (const problem of read.problems) tellProblem(formatSourceProblem(problem));
    this.#diagnostics(change, originOf);
  }

  typeErrors(app: string, problems: readonly AppProblem[]): void {
    const text = problems.map((each) => formatSourceProblem(appProblem(each, app))).join('\n');
    const before = this.#typeErrors.get(app) ?? '';
    if (text === before) return;
    this.#typeErrors.set(app, text);
    if (!text) {
      print('The types are right again.');
      return;
    }
    tell(`${counted(problems.length, 'type error')} (what is served is not affected):`);
    for (const line of text.split('\n')) tellProblem(line);
  }

  /** Something in this program went wrong, not in the user's files. */
  failed(error: unknown): void {
    tellProblem(
      `error the edit could not be applied: ${error instanceof Error ? error.message : String(error)}.`,
    );
  }

  #overview({ loop, ports, address, caFile }: View, gateway: { namespace: string; name: string }): void {
    const key = `${gateway.namespace}/${gateway.name}`;
    const agent = loop.agents.get(key);
    if (!agent?.snapshot) return;
    const lines = overview({
      key,
      agent,
      ports: ports.planned(gateway),
      address,
      ...(caFile ? { caFile } : {}),
    });
    print(lines.join('\n'));
  }

  #diagnostics(change: LoopChange, originOf: View['originOf']): void {
    const groups: [string, readonly Diagnostic[]][] = [
      ...change.diagnostics,
      ...change.gateways.map(
        ({ gateway, diagnostics }) =>
          [`data plane ${gateway.namespace}/${gateway.name}`, diagnostics] as const,
      ),
    ].map(([key, list]) => [key, list]);
    for (const [key, diagnostics] of groups) {
      const before = this.#told.get(key) ?? new Set<string>();
      const now = new Set(diagnostics.map((each) => formatDiagnostic(each, originOf)));
      this.#told.set(key, now);
      for (const text of now) if (!before.has(text)) tellProblem(text);
    }
  }
}

function paragraph(text: string): void {
  print(wrapped(text, WIDTH).join('\n'));
}
