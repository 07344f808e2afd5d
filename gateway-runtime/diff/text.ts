/** Regions as text for a terminal, 80 columns wide: the worst first, and those of one rule and one outcome under one heading. */
import { wrapped } from '../explain/wrapped.ts';
import { formatExample } from '../snapshot/diagnostic.ts';
import { widest } from './hosts.ts';
import { type ChangeSeverity, SEVERITIES } from './region.ts';
import type { ReportedOutcome, ReportedRegion } from './report.ts';

const WIDTH = 80;
const LABEL = 10;
/** Sets of requests under one heading, hosts of one set, and matches that it is without, that are shown; the others are counted. */
const MOST_SETS = 6;
const MOST_HOSTS = 3;
const MOST_WITHOUT = 3;

export interface TextOptions {
  /** Headings that are shown, the worst first; the others are counted. By default all. */
  readonly most?: number;
  /** Columns. By default 80. */
  readonly width?: number;
  /** Emphasis for a terminal. */
  readonly style?: (what: ChangeSeverity | 'requests', text: string) => string;
}

const MEANING: Readonly<Record<ChangeSeverity, string>> = {
  lost: 'answered with an error now',
  moved: 'answered by another backend or redirect',
  altered: 'answered where they were, in another way',
  new: 'answered with an error before',
};

/** Lines without ends. None where there is no region. */
export function diffText(regions: readonly ReportedRegion[], options: TextOptions = {}): string[] {
  const { most = Infinity, width = WIDTH, style = (_, text) => text } = options;
  const groups = [...Map.groupBy(regions, headingOf).values()];
  const gateways = new Set(regions.map(({ gateway }) => gateway));
  const lines: string[] = [];
  let last: ChangeSeverity | undefined;
  for (const group of groups.slice(0, most)) {
    const [{ severity }] = group as [ReportedRegion];
    if (severity !== last) {
      if (last) lines.push('');
      lines.push(style(severity, `${severity.toUpperCase()}: ${MEANING[severity]}`));
      last = severity;
    }
    lines.push(...groupText(group, gateways.size > 1, width, style));
  }
  if (groups.length > most) lines.push(`and ${groups.length - most} more`);
  return lines;
}

/** `2 lost, 1 moved; touched without a change of their own: media`. */
export function summaryText(regions: readonly ReportedRegion[]): string {
  const counts = SEVERITIES.map((severity) => ({
    severity,
    count: new Set(regions.filter((each) => each.severity === severity).map(headingOf)).size,
  })).filter(({ count }) => count > 0);
  const touched = [...new Set(regions.flatMap((each) => each.touched))].sort();
  const teams = touched.length > 0 ? `; touches teams that changed nothing: ${touched.join(', ')}` : '';
  return counts.map(({ severity, count }) => `${count} ${severity}`).join(', ') + teams;
}

/** Regions of the same rules and outcomes differ only in what they are of. */
function headingOf({ severity, gateway, before, after, possible }: ReportedRegion): string {
  const of = ({ text, source }: ReportedOutcome) => [
    text,
    source?.kind,
    source?.namespace,
    source?.name,
    source?.field.replace(/\.matches\[\d+\]/, ''),
  ];
  return JSON.stringify([severity, gateway, of(before), of(after), possible]);
}

function groupText(
  group: readonly ReportedRegion[],
  namesGateway: boolean,
  width: number,
  style: NonNullable<TextOptions['style']>,
): string[] {
  const [first] = group as [ReportedRegion];
  const lines: string[] = [];
  const put = (label: string, text: string) => lines.push(...labelled(label, text, width));
  const putSource = (text: string | undefined) => text !== undefined && put('', text);
  const sets = new Map<string, ReportedRegion>();
  for (const each of group) sets.set(requestsInWords(each), each);
  for (const [text, region] of [...sets].slice(0, MOST_SETS)) {
    for (const line of wrapped(text, width - 4)) {
      lines.push(style('requests', `${line === text || text.startsWith(line) ? '  ' : '    '}${line}`));
    }
    const without = withoutText(region);
    if (without !== undefined) put('without', without);
  }
  if (sets.size > MOST_SETS) lines.push(`  and ${sets.size - MOST_SETS} more sets of requests`);
  const { before, after, witness, authors, touched, gateway } = first;
  if (namesGateway) put('gateway', gateway);
  put('before', before.text);
  putSource(sourceText(before));
  put('after', after.text);
  if (sourceText(after) !== sourceText(before)) putSource(sourceText(after));
  if (witness) {
    const { withoutCertificate, serverName } = witness;
    const how = [
      ...(withoutCertificate ? ['without a client certificate'] : []),
      ...(serverName === undefined ? [] : [`over a connection for ${serverName}`]),
    ];
    put('try', formatExample(witness) + (how.length > 0 ? ` (${how.join(', ')})` : ''));
  } else put('possible', 'expressions decide, and no request was found that shows it');
  const who = [
    ...(authors.length > 0 ? [`changed by ${authors.join(', ')}`] : []),
    ...(touched.length > 0 ? [`touches ${touched.join(', ')}, which changed nothing`] : []),
  ];
  if (touched.length > 0) put('teams', who.join('; '));
  return lines;
}

/** `shop.example.com /cart/*`, or all of a listener, or TLS connections at a port. */
export function requestsInWords({ requests, connections, extents }: ReportedRegion): string {
  const hosts = widest([...new Set(extents.flatMap((each) => each.hosts))].sort());
  const shown = some(
    hosts.map((host) => (host === '*' ? 'any host' : host)),
    MOST_HOSTS,
  );
  if (requests !== undefined) return `${shown} ${requests}`;
  if (connections) return `${shown} (TLS connections at port ${extents[0]!.port})`;
  const listeners = new Set(extents.map(({ listener, port }) => `listener ${listener}, port ${port}`));
  return `${shown} (all of ${some([...listeners], MOST_HOSTS)})`;
}

function withoutText({ extents }: ReportedRegion): string | undefined {
  const without = [...new Set(extents.flatMap((each) => each.without))];
  if (without.length === 0) return undefined;
  const isEverywhere = extents.every((each) => each.without.length === without.length);
  return some(without, MOST_WITHOUT) + (isEverywhere ? '' : ' at some of the hosts');
}

function sourceText({ source }: ReportedOutcome): string | undefined {
  if (!source) return undefined;
  const { kind, namespace, name, field, origin } = source;
  return `${kind} ${namespace}/${name} ${field}${origin ? ` (${origin})` : ''}`;
}

function some(texts: readonly string[], most: number): string {
  const more = texts.length - most;
  return more <= 0 ? texts.join(', ') : `${texts.slice(0, most).join(', ')} and ${more} more`;
}

function labelled(label: string, text: string, width: number): string[] {
  return wrapped(text, width - 4 - LABEL).map(
    (line, index) => `    ${(index === 0 ? label : '').padEnd(LABEL)}${line}`,
  );
}
