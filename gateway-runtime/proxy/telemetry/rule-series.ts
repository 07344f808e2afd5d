/** The series of one rule: the same object for as long as there is the rule, so that whoever serves it can hold on to it. */
import type { BackendKey, RouteRule } from '../../snapshot/snapshot.ts';
import { Series } from './series.ts';

export class RuleSeries {
  rule: RouteRule;
  /** By listener and backend: few. */
  all: readonly Series[] = [];
  readonly #gateway: string;

  constructor(gateway: string, rule: RouteRule) {
    this.#gateway = gateway;
    this.rule = rule;
  }

  /** A backend that the rule does not have, or has no more, is none. */
  at(listener: string, backend: BackendKey | ''): Series {
    const to = this.#names(backend) ? backend : '';
    for (const each of this.all) if (each.listener === listener && each.backend === to) return each;
    const series = new Series(this.#gateway, this, listener, to);
    this.all = this.all.concat(series);
    return series;
  }

  /** From now on it is this one: series of backends that it has no more go. */
  become(rule: RouteRule): void {
    this.rule = rule;
    this.#keep(({ backend }) => backend === '' || this.#names(backend));
  }

  /** Series of a listener that has gone go with it. */
  leave(listener: string): void {
    this.#keep((each) => each.listener !== listener);
  }

  end(): void {
    this.#keep(() => false);
  }

  #keep(isKept: (series: Series) => boolean): void {
    if (this.all.every(isKept)) return;
    for (const each of this.all) each.isGone = !isKept(each);
    this.all = this.all.filter(isKept);
  }

  #names(backend: BackendKey | ''): boolean {
    for (const each of this.rule.backends) if (each.backend === backend) return true;
    return false;
  }
}
