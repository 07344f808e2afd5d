/** What is said of changes that a program refuses: which, whose, and how to approve them. */
import { requestsInWords } from '../../gateway-runtime/diff/text.ts';
import type { ComparedRegion } from '../../gateway-runtime/preview/compared.ts';
import { type Refusable, refusalOf } from '../../gateway-runtime/preview/traffic-policy.ts';

export function refusalText(
  refused: readonly ComparedRegion[],
  all: number,
  refuse: readonly Refusable[],
): string {
  const { shown, more, approvals } = refusalOf(refused);
  return [
    `${refused.length} of ${all} changes of traffic are refused (refuse: ${refuse.join(', ')})`,
    ...shown.flatMap(regionText),
    ...(more > 0 ? [`  and ${more} more`] : []),
    'Nothing has been changed. What is meant is approved in the program:',
    '  previewTraffic(app, { approve: [',
    ...approvals.map((each) => `    ${approvalText(each)},`),
    '  ] })',
  ].join('\n');
}

function regionText({ reported }: ComparedRegion): string[] {
  const { severity, before, after, authors, touched } = reported;
  const teams = new Set([before, after].flatMap(({ source }) => (source ? [source.team] : [])));
  for (const team of touched) teams.add(team);
  return [
    `  ${severity}: ${requestsInWords(reported)}`,
    `    now ${before.text}; then ${after.text}`,
    ...(teams.size > 0 ? [`    of ${[...teams].sort().join(', ')}`] : []),
    ...(authors.length > 0 ? [`    changed by ${authors.join(', ')}`] : []),
    ...(touched.length > 0 ? [`    touches ${touched.join(', ')}, which changed nothing`] : []),
  ];
}

const approvalText = ({ host, path }: { readonly host: string; readonly path?: string }) =>
  `{ host: '${host}', ${path === undefined ? '' : `path: '${path}', `}why: '...' }`;

/** Where there is nothing to compare with. */
export const unknownText = (why: string, refuse: readonly Refusable[]) =>
  [
    `refuse (${refuse.join(', ')}) can't be held to anything: the cluster could not be read (${why}), and this stack has no record of a deployment`,
    'Let kubectl read the cluster or, where nothing is served yet, approve all in the program:',
    "  previewTraffic(app, { approve: [{ host: '*', why: 'first deployment' }] })",
  ].join('\n');
