/**
 * Requests over a connection that was opened for another host: browsers do so where a certificate is for both. They are served where one
 * listener has both hosts, and answered 421 where two do (Listener.hostname); who gets that may ask again on a connection of its own.
 */
import { ANY_HOST, compareHostnames } from '../match/hostname.ts';
import type { Listener } from '../snapshot/snapshot.ts';
import type { Place } from './region-set.ts';

/** Hosts that parted from others of their listener, or came together with them. */
export interface Parting {
  readonly place: Place;
  /** One of the others. */
  readonly other: Place;
  /** They part: 421 is the answer after, and not before. */
  readonly isSplit: boolean;
}

/** Of the classes of hosts at one port: one for each listener that took hosts from another, or gave them back to it. */
export function partings(places: readonly Place[]): Parting[] {
  const open = places.filter(
    ({ before, after }) => before.listener?.protocol === 'HTTPS' && after.listener?.protocol === 'HTTPS',
  );
  return [
    ...partingsOf(open, 'before', 'after').map((each) => ({ ...each, isSplit: true })),
    ...partingsOf(open, 'after', 'before').map((each) => ({ ...each, isSplit: false })),
  ];
}

type Side = 'before' | 'after';

/** Hosts that have one listener on one side, and several on the other. */
function partingsOf(
  places: readonly Place[],
  one: Side,
  several: Side,
): { readonly place: Place; readonly other: Place }[] {
  const together = Map.groupBy(places, (place) => place[one].listener!.key);
  return [...together.values()].flatMap((group) => {
    const parts = [...Map.groupBy(group, (place) => place[several].listener!.key).values()];
    if (parts.length < 2) return [];
    const hostnameOf = ([place]: Place[]) => (place![several].listener as Listener).hostname ?? ANY_HOST;
    // What most hosts have stays what it was; the others left it.
    parts.sort((a, b) => compareHostnames(hostnameOf(b), hostnameOf(a)));
    const [[other], ...left] = parts as [Place[], ...Place[][]];
    return left.flatMap((part) => part.map((place) => ({ place, other: other! })));
  });
}
