/** The report of `serve` for machines: one JSON object per line on standard output, each with an `event`. */
import { formatSourceProblem } from '../../gateway-runtime/control/source.ts';
import { formatDiagnostic } from '../../gateway-runtime/snapshot/diagnostic.ts';
import { type GatewayId, gatewayKey } from '../../gateway-runtime/snapshot/snapshot.ts';
import type { AppProblem } from '../app/messages.ts';
import { curlFor } from '../show/curl.ts';
import { routeRows } from '../show/route-rows.ts';
import { trafficChanges } from '../show/traffic-changes.ts';
import { appProblem } from '../sources.ts';
import { print } from '../terminal.ts';
import {
  type Changed,
  diagnosticsOf,
  echoed,
  isRefused,
  type NothingYet,
  type Report,
  type Started,
  standInWarnings,
  type View,
} from './report.ts';

export class JsonReport implements Report {
  appOutput(text: string): void {
    process.stderr.write(text);
  }

  started(started: Started): void {
    const { loop, made, admin, workers, milliseconds } = started;
    emit('started', {
      milliseconds: Math.round(milliseconds),
      workers,
      gateways: started.ports
        .inOrder(started.change.gateways)
        .map(({ gateway }) => gatewayForm(started, gateway)),
      echoed: echoed(loop),
      ...made,
      ...(admin.problem === undefined ? { admin: admin.url } : {}),
      problems: [...problemsOf(started), ...(admin.problem === undefined ? [] : [admin.problem])],
    });
  }

  nothingYet(state: NothingYet): void {
    emit('waiting', { problems: problemsOf(state) });
  }

  watching(): void {
    emit('watching', {});
  }

  changed(changed: Changed): void {
    const { change, files, milliseconds } = changed;
    emit('changed', {
      files,
      applied: !isRefused(changed),
      milliseconds: Math.round(milliseconds),
      traffic: trafficChanges(change, changed),
      problems: problemsOf(changed),
    });
  }

  typeErrors(app: string, problems: readonly AppProblem[]): void {
    emit('types', { app, errors: problems.map((each) => formatSourceProblem(appProblem(each, app))) });
  }

  workerEvent(gateway: GatewayId, message: string): void {
    emit('worker', { gateway: gatewayKey(gateway), message });
  }

  failed(error: unknown): void {
    emit('failed', { message: error instanceof Error ? error.message : String(error) });
  }

  stopping(): void {
    emit('stopping', {});
  }
}

function emit(event: string, content: Record<string, unknown>): void {
  print(JSON.stringify({ event, ...content }));
}

function problemsOf(state: NothingYet): string[] {
  const { read, change, originOf } = state;
  return [
    ...standInWarnings(state),
    ...read.problems.map(formatSourceProblem),
    ...diagnosticsOf(change).flatMap(([, list]) => list.map((each) => formatDiagnostic(each, originOf))),
  ];
}

function gatewayForm({ loop, ports, address, made }: View, gateway: { namespace: string; name: string }) {
  const agent = loop.agents.get(gatewayKey(gateway))!;
  const localPort = (port: number) => agent.boundPort(port);
  const at = { address, localPort, ...made };
  return {
    gateway: gatewayKey(gateway),
    ports: ports
      .planned(gateway)
      .map(({ port, local }) => ({ port, local, bound: localPort(port) !== undefined })),
    routes: routeRows(agent.snapshot!).map((row) => ({
      team: row.team,
      host: row.host,
      match: row.match,
      target: row.target,
      curl: curlFor(row, at),
    })),
  };
}
