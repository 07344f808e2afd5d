/** Requests that show what is said of a route. */
import type { RouteKind, RouteObject } from '../api/route-kinds.ts';
import { exampleRequest } from '../match/example.ts';
import { ANY_HOST } from '../match/hostname.ts';
import type { ExampleRequest } from '../snapshot/diagnostic.ts';
import { ANYWHERE, type Entry, type Place, type RoutePlaces } from './route-places.ts';
import type { TranslatedRule } from './rules.ts';

export class RouteExamples {
  readonly #route: RouteObject;
  readonly #rules: readonly TranslatedRule[];
  readonly #parents: RoutePlaces['parents'];
  readonly #places: RoutePlaces['places'];

  constructor(
    route: RouteObject,
    rules: readonly TranslatedRule[],
    { parents, places }: Pick<RoutePlaces, 'parents' | 'places'>,
  ) {
    this.#route = route;
    this.#rules = rules;
    this.#parents = parents;
    this.#places = places;
  }

  /** What a parent brings to the route, or would bring if it attached. */
  ofParent(index: number): ExampleRequest {
    const { port } = this.#parents[index]!.ref;
    return this.#at(
      this.#places[index],
      0,
      port === undefined ? this.#anywhere : { ...this.#anywhere, port },
    );
  }

  /** What a rule takes where the route attaches, or would take. */
  ofRule(index: number): ExampleRequest {
    const place = this.#places.find((each) => each && each.attachments.length > 0);
    return this.#at(place ?? this.#places.find(Boolean), index, this.#anywhere);
  }

  get #anywhere(): Entry {
    return ANYWHERE[this.#route.kind as RouteKind];
  }

  #at(place: Place | undefined, rule: number, otherwise: Entry): ExampleRequest {
    const { protocol, port } = place?.shownAt ?? otherwise;
    const hostname = place?.attachments[0]?.hostnames[0] ?? this.#route.spec.hostnames?.[0] ?? ANY_HOST;
    const translated = this.#rules[rule];
    return translated?.type === 'tls-rule'
      ? exampleRequest({ protocol: 'TLS', port, hostname })
      : exampleRequest({ protocol, port, hostname }, translated?.body.matches[0]);
  }
}
