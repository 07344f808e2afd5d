/** An explanation as text for a terminal, 80 columns wide. The last line is not ended. */
import { formatExample } from '../snapshot/diagnostic.ts';
import { isServed } from './explained.ts';
import type {
  Explained,
  ExplainedBackend,
  ExplainedMatch,
  ExplainedReply,
  Explanation,
  RefusedRoute,
} from './explanation.ts';
import { listenerInWords, ruleInWords } from './words.ts';

const WIDTH = 80;
const INDENT = 12;
/** Matches that don't serve: how many are shown in full, and how many of those that are for other hosts. */
const SHOWN = 8;
const SHOWN_OF_OTHER_HOSTS = 2;

/** The whole answer, each Gateway under the heading for it. Of those that don't serve what another one does, only the summary. */
export function explainedText(explained: Explained, heading: (gateway: string) => string): string {
  const { others, refused } = explained;
  const isShown = isServed(explained) ? isServed : () => true;
  const texts = [explained, ...others].filter(isShown).map((each, index) => {
    const title = heading(each.gateway);
    return `${title ? `${title}\n` : ''}${explanationText(each, index === 0 ? refused : [])}`;
  });
  const rest = others
    .filter((each) => !isShown(each))
    .map(({ gateway, summary }) => `Gateway ${gateway}: ${summary}.`);
  return [...texts, ...rest].join('\n\n');
}

/** Of one Gateway. */
export function explanationText(explanation: Explanation, refused: readonly RefusedRoute[] = []): string {
  const { request, summary } = explanation;
  const scheme = request.tls ? 'https' : 'http';
  const port = request.port === (request.tls ? 443 : 80) ? '' : `:${request.port}`;
  const query = request.query ? `?${request.query}` : '';
  const { given } = request;
  return [
    request.isConnection
      ? `tls://${request.host}${port}`
      : `${request.method} ${scheme}://${request.host}${port}${request.path}${query}`,
    ...(given ? section('Given as', [`host ${given.host}, path ${given.path}`]) : []),
    '',
    ...section('Answer', [`${summary[0]!.toUpperCase()}${summary.slice(1)}.`]),
    ...refusedLines(refused),
    ...listenerLines(explanation),
    ...ruleLines(explanation),
    ...section(
      'Filters',
      explanation.filters.map((filter, index) => `${index + 1}. ${filter}`),
    ),
    ...forwardLines(explanation),
    ...section(
      'Backends',
      explanation.backends.flatMap((each) =>
        backendLines(each, request.isConnection ? 'closed' : 'answered 500'),
      ),
    ),
    ...policyLines(explanation),
    ...section('Limits', explanation.limits ?? []),
    ...section('Session', explanation.session === undefined ? [] : [explanation.session]),
    ...otherLines(explanation.matches),
  ].join('\n');
}

/** Refused routes that are shown; the others are counted. */
const MOST_REFUSED = 8;

function refusedLines(refused: readonly RefusedRoute[]): string[] {
  const lines = refused.slice(0, MOST_REFUSED).flatMap(refusedInWords);
  const hidden = refused.length - MOST_REFUSED;
  return section('Refused', hidden > 0 ? [...lines, `and ${hidden} more`] : lines);
}

function refusedInWords({ route, reason, field, message, fix, origin, example }: RefusedRoute): string[] {
  return [
    `${route} (${reason})`,
    `  ${field === undefined ? '' : `${field}: `}${message}.`,
    ...(fix ? [`  Fix: ${fix}.`] : []),
    ...(example ? [`  Example: ${formatExample(example)}`] : []),
    ...(origin ? [`  In ${origin}.`] : []),
  ];
}

function listenerLines({ listeners }: Explanation): string[] {
  return section(
    'Listener',
    listeners
      .filter(({ serves }) => serves)
      .flatMap((listener) => [
        listenerInWords(listener),
        listener.reason,
        ...(listener.tls === undefined ? [] : [`it takes ${listener.tls}`]),
        ...(listener.clients === undefined ? [] : [`it lets in ${listener.clients}`]),
      ]),
  ).concat(
    section(
      'Not',
      listeners
        .filter(({ serves }) => !serves)
        .map((listener) => `${listenerInWords(listener)}: ${listener.reason}`),
    ),
  );
}

function ruleLines({ matches, decision }: Explanation): string[] {
  const serving = matches.find(({ outcome }) => outcome === 'serves');
  if (!serving) return [];
  return section('Rule', [
    ruleInWords(serving),
    serving.asks,
    ...(serving.hostname && serving.hostname !== '*' ? [`for ${serving.hostname}`] : []),
    ...(decision ? [`goes before ${ruleInWords(decision.over)}: ${decision.sentence}`] : []),
  ]);
}

function forwardLines({ forwarded, request }: Explanation): string[] {
  if (!forwarded) return [];
  return section('Forwarded', [
    ...(forwarded.host === request.host ? [] : [`to the host ${forwarded.host}`]),
    ...(forwarded.path === request.path ? [] : [`as ${forwarded.path}`]),
  ]);
}

/** @param refused what becomes of a share that can't be served */
function backendLines(
  { name, share, unresolved, tls, filters, reply }: ExplainedBackend,
  refused: string,
): string[] {
  const percent = `${share} %`.padStart(7);
  const fate = unresolved
    ? `, ${refused}: ${unresolved.reason}, ${unresolved.message}`
    : reply
      ? `, ${replyInWords(reply)}`
      : '';
  const how = [...(tls ? [tls] : []), ...filters];
  return [`${percent}  ${name}${fate}`, ...how.map((each) => `         ${each}`)];
}

/** What one of a backend does stands with the backend. */
function policyLines({ policies = [] }: Explanation): string[] {
  return section(
    'Policies',
    policies.flatMap(({ kind, namespace, name, target, field, effect, origin }) => [
      `${kind} ${namespace}/${name} ${field === undefined ? `for ${target}` : `(${field}): ${effect}`}`,
      ...(origin === undefined ? [] : [`  In ${origin}.`]),
    ]),
  );
}

const replyInWords = ({ status, location }: ExplainedReply) =>
  `answered ${status}${location === undefined ? '' : ` with Location ${location}`}`;

/** What came near first: a match that failed on a later condition had passed those before. */
const NEARNESS = ['precedence', 'query', 'header', 'method', 'path', 'hostname', 'listener'] as const;

function otherLines(matches: readonly ExplainedMatch[]): string[] {
  const others = matches
    .filter(({ lostOn }) => lostOn !== undefined)
    .sort((a, b) => NEARNESS.indexOf(a.lostOn!) - NEARNESS.indexOf(b.lostOn!));
  const ofHost = others.filter(({ lostOn }) => lostOn !== 'hostname' && lostOn !== 'listener').length;
  const shown = others.slice(0, Math.min(SHOWN, ofHost + SHOWN_OF_OTHER_HOSTS));
  const lines = shown.flatMap((match) => [
    `${ruleInWords(match)}: ${match.asks}`,
    `  ${match.outcome === 'outranked' ? 'matches, but ' : ''}${match.reason}`,
  ]);
  const hidden = others.length - shown.length;
  return section('Others', hidden > 0 ? [...lines, `and ${hidden} more that are further off`] : lines);
}

/** Lines under a heading in the left column; nothing where there are none. */
function section(heading: string, lines: readonly string[]): string[] {
  return lines
    .flatMap((line) => wrapped(line))
    .map((line, index) => `${(index === 0 ? heading : '').padEnd(INDENT)}${line}`.trimEnd());
}

/** Broken between words; what goes on is indented by two more than its line. A longer word than the column stays whole. */
function wrapped(line: string): string[] {
  const own = /^ */.exec(line)![0];
  const lines: string[] = [];
  let current = own;
  for (const word of line.trim().split(' ')) {
    const isFresh = current.trim() === '';
    if (!isFresh && INDENT + current.length + 1 + word.length > WIDTH) {
      lines.push(current);
      current = `${own}  ${word}`;
    } else current += isFresh ? word : ` ${word}`;
  }
  return [...lines, current];
}
