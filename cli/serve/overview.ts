/** What `serve` says when it begins: where each Gateway is, who has which hosts, where requests go, and how to try it. */

import type { MadeHere } from '../../gateway-runtime/control/certificates.ts';
import type { DataPlane } from '../../gateway-runtime/control/loop.ts';
import type { PlannedPort } from '../../gateway-runtime/control/port-plan.ts';
import { curlFor, type ServedAt } from '../show/curl.ts';
import { type RouteRow, routeRows } from '../show/route-rows.ts';
import { columns, styled } from '../terminal.ts';

/** Rows of one Gateway beyond these are counted, not shown. */
const MOST_ROWS = 40;
/** Commands to begin with: one for each of some teams of the first Gateway. */
const MOST_COMMANDS = 2;

export interface ServedGateway {
  /** `namespace/name` */
  readonly key: string;
  readonly agent: DataPlane;
  readonly ports: readonly PlannedPort[];
  readonly address: string;
  readonly made?: MadeHere;
  /** Whether every row is shown, and a command for each. */
  readonly all: boolean;
  /** Whether another one is shown before it, whose commands are enough to begin with. */
  readonly isOther: boolean;
}

export function overview({ key, agent, ports, address, made, all, isOther }: ServedGateway): string[] {
  const snapshot = agent.snapshot!;
  const rows = routeRows(snapshot);
  const protocols = new Map<number, Set<string>>();
  for (const each of snapshot.resources) {
    if (each.type !== 'listener') continue;
    const known = protocols.get(each.port);
    if (known) known.add(each.protocol);
    else protocols.set(each.port, new Set([each.protocol]));
  }
  const lines = [styled('bold', `Gateway ${key}`)];
  for (const { port, local, taken } of ports) {
    const spoken = protocols.get(port);
    // A port of which no listener is valid is not served; the problems say why.
    if (!spoken) continue;
    const bound = agent.boundPort(port);
    // HTTPS and TLS can share a port.
    const url = [...spoken]
      .sort()
      .map((protocol) => `${protocol.toLowerCase()}://${address}:${bound ?? local}`)
      .join(' and ');
    const notes = [`port ${port}`, ...(taken ? [`${taken.port} is taken by ${taken.by}`] : [])];
    lines.push(`  ${url}  (${notes.join('; ')})${bound === undefined ? ' NOT SERVED, see below' : ''}`);
  }
  lines.push('', ...table(rows, all ? rows.length : MOST_ROWS), '');
  if (isOther && !all) return lines;
  const chosen = all ? rows : oneOfEachTeam(rows);
  const commands = commandsFor(rows, chosen, {
    address,
    localPort: (port) => agent.boundPort(port),
    ...made,
  });
  if (commands.length > 0)
    lines.push(
      chosen.length < rows.length ? '  Try, or see --all for each route:' : '  Try:',
      ...commands.flatMap((command) => command.split('\n')).map((line) => `  ${line}`),
      '',
    );
  return lines;
}

function table(rows: readonly RouteRow[], most: number): string[] {
  if (rows.length === 0) return ['  No route is attached.'];
  const shown = rows.slice(0, most).map(({ team, host, match, target }) => [team, host, match, target]);
  const [head = '', ...body] = columns([['TEAM', 'HOST', 'PATH', 'GOES TO'], ...shown], '  ');
  const more = rows.length - shown.length;
  return [styled('dim', head), ...body, ...(more > 0 ? [`  and ${more} more: --all shows them`] : [])];
}

/** The first row of each of some teams, those with the most rows first. */
function oneOfEachTeam(rows: readonly RouteRow[]): readonly RouteRow[] {
  const teams = [...Map.groupBy(rows, ({ team }) => team).values()];
  return teams
    .sort((a, b) => b.length - a.length)
    .slice(0, MOST_COMMANDS)
    .map(([first]) => first!);
}

/** Of these rows; plain HTTP where there is a choice, and one of all rows for HTTPS if none of them is. */
function commandsFor(rows: readonly RouteRow[], chosen: readonly RouteRow[], at: ServedAt): string[] {
  const commands = chosen.flatMap((row) => curlFor(row, at) ?? []);
  if (!commands.some((command) => command.includes('https://'))) {
    const secure = rows.map((row) => curlFor(row, at, 'HTTPS')).find((command) => command !== undefined);
    if (secure) commands.push(secure);
  }
  return commands;
}
