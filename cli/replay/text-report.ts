/** What a replay found, for people, in 80 columns. */
import { wrapped } from '../../gateway-runtime/explain/wrapped.ts';
import type { ChangeGroup, ReplayTotals, TeamTotals } from '../../gateway-runtime/replay/totals.ts';
import { counted, styled, WIDTH } from '../terminal.ts';

/** Kinds of change that are shown, and undecided ones. */
const SHOWN = 10;
const SHOWN_REASONS = 5;

const number = (count: number) => count.toLocaleString('en-US');

export function replayText(totals: ReplayTotals, log: string, hasFrom: boolean): string {
  return [
    ...headLines(totals, log),
    '',
    ...countLines(totals),
    ...(hasFrom ? [] : ['', ...wrapped(WITHOUT_FROM, WIDTH)]),
    ...teamLines(totals.teams),
    ...changeLines(totals),
    ...undecidedLines(totals),
  ].join('\n');
}

const WITHOUT_FROM =
  'Without --from, what was before is what the log says: shares are not compared, and a log of another proxy shows only what is lost.';

function headLines({ requests, unread, noRequests }: ReplayTotals, log: string): string[] {
  const more = [
    ...(unread.count > 0 ? [`${counted(unread.count, 'line')} that can't be read`] : []),
    ...(noRequests > 0 ? [`${number(noRequests)} of what was no valid request`] : []),
  ];
  const text = `${number(requests)} ${requests === 1 ? 'request' : 'requests'} in ${log}${more.length > 0 ? `; ${more.join(', ')}` : ''}`;
  return [
    ...wrapped(text, WIDTH),
    ...unread.first.flatMap(({ line, problem, text: shown }) => [
      `  line ${line}: ${problem}`,
      `    ${shown.slice(0, WIDTH - 4)}`,
    ]),
  ];
}

function countLines(totals: ReplayTotals): string[] {
  const { requests, unchanged, moved, lost, newly404, altered, undecided } = totals;
  const row = (name: string, count: number, note = '') =>
    `  ${name.padEnd(11)}${number(count).padStart(12)}  ${percent(count, requests).padStart(7)}${note ? `  ${note}` : ''}`;
  return [
    row('unchanged', unchanged),
    row('lost', lost, newly404 > 0 ? `newly 404: ${number(newly404)}` : ''),
    row('moved', moved),
    row('altered', altered),
    row('new', totals.new),
    row('undecided', undecided),
  ];
}

function percent(count: number, all: number): string {
  if (count === 0 || all === 0) return '0 %';
  const share = (count / all) * 100;
  if (share < 0.01) return '<0.01 %';
  // What is nearly all is not said to be all.
  return `${count < all && share > 99.99 ? '99.99' : Number(share.toFixed(2))} %`;
}

function teamLines(teams: readonly TeamTotals[]): string[] {
  const told = teams.filter((each) => each.requests > 0);
  if (told.length === 0) return [];
  const rows = told.map(({ team, requests, lost, moved, altered, new: fresh, undecided }) => [
    team,
    ...[requests, lost, moved, altered, fresh, undecided].map(number),
  ]);
  const all = [['TEAM', 'REQUESTS', 'LOST', 'MOVED', 'ALTERED', 'NEW', 'UNDECIDED'], ...rows];
  const widths = all[0]!.map((_, index) => Math.max(...all.map((row) => row[index]!.length)));
  const line = (row: readonly string[]) =>
    `  ${row.map((cell, index) => (index === 0 ? cell.padEnd(widths[0]!) : cell.padStart(widths[index]!))).join('  ')}`;
  return ['', ...all.map(line)];
}

function changeLines({ changes, otherChanges }: ReplayTotals): string[] {
  const shown = changes.slice(0, SHOWN);
  const rest = changes.slice(SHOWN).reduce((sum, { requests }) => sum + requests, otherChanges);
  return [
    ...shown.flatMap((each) => ['', ...groupLines(each)]),
    ...(rest > 0 ? ['', `and ${number(rest)} requests of other changes (--json has more)`] : []),
  ];
}

function groupLines({ severity, team, requests, before, after, example }: ChangeGroup): string[] {
  const side = (name: string, { outcome, rule }: ChangeGroup['before']) =>
    wrapped(`${name} ${outcome}${rule ? `, ${rule}` : ''}`, WIDTH - 6).map(
      (line, index) => `${index === 0 ? '    ' : '      '}${line}`,
    );
  const colour = severity === 'lost' ? 'red' : severity === 'new' ? 'green' : 'yellow';
  return [
    `${styled(colour, severity)}  ${number(requests)} of ${team === '-' ? 'no team' : team}, such as ${example}`,
    ...side('before', before),
    ...side('after ', after),
  ].flatMap((line) => (line.length > WIDTH + 10 ? wrapped(line, WIDTH) : [line]));
}

function undecidedLines({ undecidedFor }: ReplayTotals): string[] {
  if (undecidedFor.length === 0) return [];
  const rest = undecidedFor.slice(SHOWN_REASONS).reduce((sum, { requests }) => sum + requests, 0);
  return [
    '',
    'Undecided, since the answer depends on what the log does not have:',
    ...undecidedFor
      .slice(0, SHOWN_REASONS)
      .flatMap(({ missing, requests }) => wrapped(`  ${number(requests)}: ${missing}`, WIDTH)),
    ...(rest > 0 ? [`  ${number(rest)}: other things`] : []),
  ];
}
