/**
 * What holds nowhere, of all the places where routes of a team may be: as a Grant lists it, so that admission, which can't look up where the route
 * of a RoutePolicy is, can tell what is beyond every bound from what may be right somewhere.
 */
import { type Bounds, MOST_LISTED, MOST_OF_HEADERS } from '../api/bounds.ts';
import { durationMilliseconds } from '../api/fields.ts';
import { joinedNetworks } from '../api/network-lists.ts';

/** Listeners under the same policies. */
export interface Place {
  readonly protocol: string;
  readonly bounds: Bounds;
}

interface By {
  readonly by: string;
}

/** Of several places: a bound is one where each of them has it. Redirects are those of listeners of protocol HTTP. */
export function loosest(places: readonly Place[]): Bounds {
  const all = places.map(({ bounds }) => bounds);
  const plain = places.flatMap(({ protocol, bounds }) => (protocol === 'HTTP' ? [bounds] : []));
  const bytes = ofEach(all, 'maxRequestBytes');
  const shortest = ofEach(all, 'minRequestTimeout');
  const longest = ofEach(all, 'maxRequestTimeout');
  const redirects = joined(ofEach(plain, 'httpsRedirect'), distinct);
  const networks = joined(ofEach(all, 'ipAllow'), joinedNetworks);
  const headers = joinedHeaders(all.map(({ responseHeaders = [] }) => responseHeaders));
  const size = ({ value }: { value: string }) => durationMilliseconds(value);
  return {
    ...(bytes ? { maxRequestBytes: most(bytes, ({ value }) => value) } : {}),
    ...(shortest ? { minRequestTimeout: most(shortest, (each) => -size(each)) } : {}),
    ...(longest ? { maxRequestTimeout: most(longest, size) } : {}),
    ...(redirects ? { httpsRedirect: redirects } : {}),
    ...(networks ? { ipAllow: networks } : {}),
    ...(headers.length > 0 && JSON.stringify(headers).length <= MOST_OF_HEADERS
      ? { responseHeaders: headers }
      : {}),
  };
}

/** Undefined where one of them has no such bound, or there is none. */
function ofEach<Name extends keyof Bounds>(
  all: readonly Bounds[],
  name: Name,
): NonNullable<Bounds[Name]>[] | undefined {
  const found = all.flatMap((each) => (each[name] ? [each[name]] : []));
  return found.length > 0 && found.length === all.length ? found : undefined;
}

const most = <T>(all: readonly T[], sizeOf: (each: T) => number): T =>
  all.reduce((best, each) => (sizeOf(each) > sizeOf(best) ? each : best));

const distinct = <T>(all: readonly T[]): T[] => [...new Set(all)];

function joined(
  all: readonly NonNullable<Bounds['ipAllow']>[] | undefined,
  join: (values: readonly string[]) => string[],
) {
  // As most teams have it: it is joined already, and there are many teams.
  if (all?.length === 1) return all[0];
  const values = all && join(all.flatMap((each) => each.values));
  return values && values.length <= MOST_LISTED ? { values, by: byAll(all) } : undefined;
}

function joinedHeaders(all: readonly NonNullable<Bounds['responseHeaders']>[]) {
  const [first = [], ...others] = all.map((each) => new Map(each.map((header) => [header.name, header])));
  return [...first.values()].flatMap((header) => {
    const same = [header, ...others.flatMap((each) => each.get(header.name) ?? [])];
    const values = distinct(same.flatMap((each) => each.values));
    if (same.length < all.length || values.length > MOST_LISTED) return [];
    return [{ name: header.name, values, removable: same.some((each) => each.removable), by: byAll(same) }];
  });
}

/** Policies that one sentence names. */
const MOST_NAMED = 3;

function byAll(all: readonly By[]): string {
  const names = distinct(all.map(({ by }) => by));
  return names.length > MOST_NAMED
    ? `${names.slice(0, MOST_NAMED).join(', ')} and others`
    : names.join(' and ');
}
