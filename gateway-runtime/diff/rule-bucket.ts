/** The rules of one listener under one hostname, found by path: what may meet a path is looked at, and nothing else. */
import { type Contender, comparePrecedence } from '../match/precedence.ts';
import type { HttpMatch, HttpRule } from '../snapshot/snapshot.ts';
import type { Conjunction } from './conjunction.ts';
import { EntryList } from './entry-list.ts';

/** One match of a rule under one hostname. */
export interface Entry extends Contender {
  readonly condition: HttpMatch;
  /** Place among those of its bucket, by precedence. */
  readonly rank: number;
}

export class RuleBucket {
  readonly hostname: string;
  readonly rules: readonly HttpRule[];
  #entries: readonly Entry[] | undefined;
  #byRule: Map<HttpRule, Entry[]> | undefined;
  readonly #all = new EntryList();
  readonly #exact = new Map<string, EntryList>();
  readonly #prefixes = new Map<string, EntryList>();
  readonly #expressions = new EntryList();
  /** Values of exact paths and prefixes in code unit order. */
  #values: readonly string[] = [];
  #catchAll = false;

  constructor(hostname: string, rules: readonly HttpRule[]) {
    this.hostname = hostname;
    this.rules = rules;
  }

  /** By precedence. */
  get entries(): readonly Entry[] {
    return this.#entries ?? this.#index();
  }

  entriesOf(rule: HttpRule): readonly Entry[] {
    this.entries;
    return this.#byRule!.get(rule) ?? [];
  }

  /** Whether it takes every request, so that no less specific hostname is ever asked. */
  get takesEverything(): boolean {
    this.entries;
    return this.#catchAll;
  }

  #index(): readonly Entry[] {
    const { hostname } = this;
    const contenders = this.rules.flatMap((rule) =>
      rule.matches.map((condition, match) => ({ rule, match, hostname, condition })),
    );
    const entries = contenders.sort(comparePrecedence).map((each, rank): Entry => ({ ...each, rank }));
    this.#entries = entries;
    this.#byRule = Map.groupBy(entries, ({ rule }) => rule);
    const put = (map: Map<string, EntryList>, value: string, entry: Entry) => {
      const list = map.get(value) ?? new EntryList();
      map.set(value, list);
      list.add(entry);
    };
    for (const entry of entries) {
      this.#all.add(entry);
      const { path, method, headers, queryParams } = entry.condition;
      if (path.type === 'RegularExpression') this.#expressions.add(entry);
      else put(path.type === 'Exact' ? this.#exact : this.#prefixes, path.value, entry);
      if (
        path.type === 'PathPrefix' &&
        path.value === '/' &&
        method === undefined &&
        headers.length + queryParams.length === 0
      )
        this.#catchAll = true;
    }
    this.#values = [...new Set([...this.#exact.keys(), ...this.#prefixes.keys()])].sort();
    return entries;
  }

  /** Those that may take requests of the set, as far as its path and known values say, by precedence; expressions are all taken to. */
  meeting(set: Pick<Conjunction, 'path' | 'pathExpressions' | 'headers' | 'query'>): readonly Entry[] {
    this.entries;
    const { path, pathExpressions } = set;
    const found: Entry[] = [];
    const add = (list: EntryList | undefined) => {
      if (list) for (const part of list.meeting(set)) for (const entry of part) found.push(entry);
    };
    if (path.type === 'PathPrefix' && path.value === '/' && pathExpressions.length === 0) {
      add(this.#all);
      return found.sort((a, b) => a.rank - b.rank);
    }
    add(this.#expressions);
    // The prefixes that the path lies within.
    for (let end = path.value.length; end > 0; end = path.value.lastIndexOf('/', end - 1)) {
      add(this.#prefixes.get(path.value.slice(0, end)));
    }
    if (path.value !== '/') add(this.#prefixes.get('/'));
    add(this.#exact.get(path.value));
    if (path.type === 'PathPrefix') {
      const below = path.value === '/' ? '/' : `${path.value}/`;
      for (let i = this.#firstFrom(below); i < this.#values.length; i++) {
        const value = this.#values[i]!;
        if (!value.startsWith(below)) break;
        if (value === path.value) continue;
        add(this.#exact.get(value));
        add(this.#prefixes.get(value));
      }
    }
    return found.sort((a, b) => a.rank - b.rank);
  }

  #firstFrom(text: string): number {
    let low = 0;
    let high = this.#values.length;
    while (low < high) {
      const middle = (low + high) >> 1;
      if (this.#values[middle]! < text) low = middle + 1;
      else high = middle;
    }
    return low;
  }
}
