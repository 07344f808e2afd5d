/** Requests that show what is said of a route. */
import type { RouteKind, RouteObject } from '../api/route-kinds.ts';
import { exampleRequest } from '../match/example.ts';
import { ANY_HOST } from '../match/hostname.ts';
import type { ExampleRequest } from '../snapshot/diagnostic.ts';
import { ANYWHERE, type Entry, type Place } from './route-places.ts';
import type { TranslatedRule } from './rules.ts';

export class RouteExamples {
  readonly #route: RouteObject;
  readonly #rules: readonly TranslatedRule[];
  readonly #places: readonly (Place | undefined)[];

  /** `places` by parentRef, as far as there are some. */
  constructor(route: RouteObject, rules: readonly TranslatedRule[], places: readonly (Place | undefined)[]) {
    this.#route = route;
    this.#rules = rules;
    this.#places = places;
  }

  /** What a parentRef brings to the route, or would bring if it attached. */
  ofParent(index: number): ExampleRequest {
    const { port } = this.#route.spec.parentRefs![index]!;
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
