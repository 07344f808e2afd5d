/** Who owns what, for people: a table for each Gateway, in which each grant says where it stands. */
import type { ObjectRef } from '../../gateway-runtime/api/object.ts';
import { refKey } from '../../gateway-runtime/api/object.ts';
import { wrapped } from '../../gateway-runtime/explain/wrapped.ts';
import { columnRows, counted, styled, WIDTH } from '../terminal.ts';
import type { Claim } from './claims.ts';
import { constructOf, type Holding } from './holdings.ts';
import { isPort } from './places.ts';

/** What is told of a Holding. */
export interface Owned extends Holding {
  readonly routes: readonly ObjectRef[];
  /** Others whose wildcard is around it. */
  readonly inside: readonly Holding[];
}

/** Routes that are named in a row; the others are counted. */
const MOST_ROUTES = 3;
const HEAD = ['TEAM', 'HOST', 'PATH', 'PORTS', 'ROUTES'];

export function ownersText(owned: readonly Owned[], claims: readonly Claim[]): string[] {
  const gateways = Map.groupBy(owned, ({ gateway }) => gateway);
  return [
    ...[...gateways].flatMap(([gateway, rows]) => [...gatewayText(gateway, rows), '']),
    ...claims.map(claimText).flatMap((text) => folded(text)),
    ...(claims.length > 0 ? [''] : []),
    ...folded(summary(owned, claims)),
  ];
}

function gatewayText(gateway: string, rows: readonly Owned[]): string[] {
  const sorted = [...rows].sort((a, b) => compare(groupOf(a), groupOf(b)));
  const [head = [], ...lines] = columnRows([HEAD, ...sorted.map(cells)], '  ');
  return [
    styled('bold', `Gateway ${gateway}`),
    '',
    ...head.map((line) => styled('dim', line)),
    ...sorted.flatMap((row, index) => {
      const next = sorted[index + 1];
      const isLast = next === undefined || groupOf(next) !== groupOf(row);
      return [...lines[index]!, ...notes(row), ...(isLast ? [...place(row)] : [])];
    }),
  ];
}

const compare = (a: string, b: string) => (a < b ? -1 : a > b ? 1 : 0);
const groupOf = ({ holder, grant, origin = '' }: Owned) => `${holder}\0${grant}\0${origin}`;

function cells({ holder, host, path, places, routes, isTeam }: Owned): string[] {
  const ofPorts = places.length > 0 && places.every(isPort);
  return [
    isTeam ? holder : '-',
    ofPorts ? '-' : host,
    ofPorts ? '-' : pathText(path),
    portsText(places),
    routesText(routes, places, isTeam),
  ];
}

/** `/cart/*` for what a path and all below it are, as in the table of `serve`. */
export const pathText = (path: string): string => (path === '/' ? '/*' : `${path}/*`);

function portsText(places: Owned['places']): string {
  const ports = [...new Set(places.map(({ port }) => port))].sort((a, b) => a - b);
  return ports.join(', ') || '-';
}

function routesText(routes: readonly ObjectRef[], places: Owned['places'], isTeam: boolean): string {
  if (places.length === 0) return 'no listener';
  if (places.every(({ isServed }) => !isServed)) return 'not served';
  if (routes.length === 0) return 'none yet';
  const named = routes
    .slice(0, MOST_ROUTES)
    .map(({ namespace, name }) => (isTeam ? name : `${namespace}/${name}`));
  const more = routes.length - named.length;
  return `${named.join(', ')}${more > 0 ? ` and ${more} more` : ''}`;
}

function notes({ delegated, inside, isTeam, holder }: Owned): string[] {
  const open = isTeam ? [] : [`open to ${holder}`];
  const given = delegated.map(({ path, team }) => `${pathText(path)} is given on to ${team}`);
  const rest = inside.map(({ host, holder }) => `inside ${host} of ${holder}`);
  return [...open, ...given, ...rest].flatMap((text) => folded(text, '      '));
}

const place = (row: Owned): string[] => folded(whereText(row), '      ').map((line) => styled('dim', line));

/** Where it is granted: file, line and construct; of an object by hand its file and name, and the grant in it. */
export function whereText({ grant, origin, object }: Holding): string {
  const name = refKey(object);
  if (origin === undefined) return name;
  const construct = constructOf(origin);
  if (construct !== undefined)
    return construct.endsWith(`/${grant}`) || grant === name ? origin : `${origin} grant ${grant}`;
  return grant === name ? `${origin} ${name}` : `${origin} ${name} grant ${grant}`;
}

const claimText = ({ gateway, host, path, holders }: Claim) =>
  `${styled('yellow', 'claimed by several')}: ${host} ${pathText(path)} of Gateway ${gateway} is for ${holders.join(' and ')}. Fix: grant it to one of them, and have that team delegate paths of it.`;

function summary(owned: readonly Owned[], claims: readonly Claim[]): string {
  const teams = new Set(owned.filter(({ isTeam }) => isTeam).map(({ holder }) => holder));
  const unused = owned.filter(({ routes }) => routes.length === 0).length;
  const claimed = claims.length === 0 ? 'none' : claims.length;
  return `${counted(owned.length, 'host and path', 'hosts and paths')} of ${counted(teams.size, 'team')}: ${unused === 0 ? 'none' : unused} without routes, ${claimed} claimed by several.`;
}

function folded(text: string, indent = ''): string[] {
  return wrapped(text, WIDTH - indent.length - 2).map(
    (line, index) => `${indent}${index > 0 ? '  ' : ''}${line}`,
  );
}
