/** Who has a URL, for people. */
import type { Explained } from '../../gateway-runtime/explain/explanation.ts';
import { wrapped } from '../../gateway-runtime/explain/wrapped.ts';
import type { ReadOnce } from '../read-once.ts';
import { styled, WIDTH } from '../terminal.ts';
import { type Holding, teamLabels, teamOfNamespace } from './holdings.ts';
import { pathText, whereText } from './text.ts';

const LABEL = 10;

export function urlText(
  given: string,
  answer: Explained,
  [first, ...others]: readonly Holding[],
  read: ReadOnce,
): string[] {
  const { tls, host, port, path } = answer.request;
  const readAs = `${tls ? 'https' : 'http'}://${host}${port === (tls ? 443 : 80) ? '' : `:${port}`}${path}`;
  const listener = answer.listeners.find(({ serves }) => serves);
  const alike = others.filter((each) => first && each.path === first.path && each.host === first.host);
  const owner = !first
    ? 'nobody'
    : alike.length > 0
      ? `claimed by ${[first, ...alike].map(holderText).join(' and ')}`
      : holderText(first);
  return [
    styled('bold', given),
    ...(readAs === given ? [] : line('Read as', readAs)),
    '',
    ...line('Gateway', answer.gateway),
    ...line('Owner', owner),
    ...[first, ...alike].flatMap((each) => (each ? line('By', heldText(each)) : [])),
    ...others
      .filter((each) => !alike.includes(each))
      .flatMap((each) => line('Inside', `${heldText(each)}, of ${holderText(each)}`)),
    ...(listener
      ? line('Listener', `${listener.listener} of ${listener.kind} ${listener.namespace}/${listener.name}`)
      : []),
    ...line('Answer', `${sentence(answer.summary)}${answeredBy(answer, first, read)}`),
  ];
}

const holderText = ({ holder, isTeam }: Holding) =>
  isTeam ? `team ${holder}` : `${holder} (an open listener)`;
const heldText = (each: Holding) => `${each.host} ${pathText(each.path)} (${whereText(each)})`;
const sentence = (text: string) => `${text.charAt(0).toUpperCase()}${text.slice(1)}.`;

/** Said where the route is not of the owner. */
function answeredBy({ matches }: Explained, owner: Holding | undefined, { objects }: ReadOnce): string {
  const route = matches.find(({ outcome }) => outcome === 'serves');
  if (!route || !owner) return '';
  const team = teamOfNamespace(teamLabels(objects), route.namespace);
  return team === owner.holder ? '' : ` The route is of team ${team}.`;
}

function line(label: string, text: string): string[] {
  return wrapped(text, WIDTH - LABEL).map((each, index) => (index === 0 ? label : '').padEnd(LABEL) + each);
}
