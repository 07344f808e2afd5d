/**
 * Headers and query parameters that a log does not have. Whatever a rule asks of one is an atom, which may hold or not: the router is
 * asked once for each way in which the atoms that it came across may hold together, so that what is said of a request is true
 * whatever it had. Where a rule asks of no such value, it is asked once.
 */
import type { CompiledRegex, RegexEngine } from '../match/regex.ts';
import type { HttpRule, ValueMatch } from '../snapshot/snapshot.ts';

/** No value of a request begins like this. */
const MARK = '\0';

/** In place of the value of this header or query parameter. */
export const unknownValue = (of: 'header' | 'query', name: string) => `${MARK}${of} ${name}`;

/** `header x-tier: gold` as the expression that a rule has in its place, which the engine below understands. */
const asAtom = ({ name, type, value }: ValueMatch): ValueMatch => ({
  name,
  type: 'RegularExpression',
  value: `${MARK}${type === 'Exact' ? '=' : '~'}${value}`,
});

/** The rule, matching as before, with all that it asks of values as expressions. */
export function withAtoms(rule: HttpRule): HttpRule {
  if (rule.matches.every(({ headers, queryParams }) => headers.length + queryParams.length === 0))
    return rule;
  return {
    ...rule,
    matches: rule.matches.map((match) => ({
      ...match,
      headers: match.headers.map(asAtom),
      queryParams: match.queryParams.map(asAtom),
    })),
  };
}

interface Atom {
  /** As of `unknownValue`. */
  readonly of: string;
  /** The exact value that is asked for; undefined for an expression. */
  readonly exact: string | undefined;
  /** Whether a value is one that the atom asks for. */
  readonly test: (value: string) => boolean;
}

interface Decision {
  readonly atom: Atom;
  readonly holds: boolean;
}

/** Ways in which unknown values may be that are tried for one request. */
const MOST_WAYS = 256;

export class UnknownValues implements RegexEngine {
  readonly #engine: RegexEngine;
  readonly #atoms = new Map<string, Map<string, Atom>>();
  /** What is assumed of the atoms that were come across, in that order. */
  #decisions: Decision[] = [];
  readonly #known = new Map<Atom, boolean>();

  constructor(engine: RegexEngine) {
    this.#engine = engine;
  }

  compile(source: string): ReturnType<RegexEngine['compile']> {
    if (!source.startsWith(MARK)) return this.#engine.compile(source);
    const value = source.slice(2);
    const exact = source[1] === '=' ? value : undefined;
    const inner: ReturnType<RegexEngine['compile']> =
      exact === undefined ? this.#engine.compile(value) : { regex: { test: (found) => found === exact } };
    if (!('regex' in inner)) return inner;
    const { regex } = inner;
    // Of all rules of both configurations that ask the same.
    const own = this.#atoms.get(source) ?? new Map<string, Atom>();
    this.#atoms.set(source, own);
    const test: CompiledRegex['test'] = (found) => {
      if (!found.startsWith(MARK)) return regex.test(found);
      let atom = own.get(found);
      if (!atom) {
        atom = { of: found, exact, test: (each) => regex.test(each) };
        own.set(found, atom);
      }
      return this.#holds(atom);
    };
    return { regex: { test } };
  }

  #holds(atom: Atom): boolean {
    const known = this.#known.get(atom);
    if (known !== undefined) return known;
    let holds = false;
    // A value that is known to be this one is asked no more.
    const value = this.#decisions.find(
      (each) => each.holds && each.atom.exact !== undefined && each.atom.of === atom.of,
    )?.atom.exact;
    if (value !== undefined) holds = atom.test(value);
    else this.#decisions.push({ atom, holds });
    this.#known.set(atom, holds);
    return holds;
  }

  /**
   * Runs `ask` for each way in which the values may be that it comes across, at first as if none were there; ends where it gives
   * false. The names that it came across; undefined where there are too many ways.
   */
  each(ask: () => boolean): ReadonlySet<string> | undefined {
    const names = new Set<string>();
    const open: Decision[][] = [[]];
    for (let ways = 0; ; ways++) {
      const assumed = open.pop();
      if (!assumed) return names;
      if (ways === MOST_WAYS) return undefined;
      this.#decisions = assumed;
      this.#known.clear();
      for (const { atom, holds } of assumed) this.#known.set(atom, holds);
      const before = assumed.length;
      const goesOn = ask();
      if (this.#decisions.length === 0) return names;
      for (const { atom } of this.#decisions) names.add(atom.of.slice(1));
      if (!goesOn) return names;
      for (let i = before; i < this.#decisions.length; i++) {
        const { atom } = this.#decisions[i]!;
        const way = [...this.#decisions.slice(0, i), { atom, holds: true }];
        if (isPossible(way)) open.push(way);
      }
    }
  }
}

/** Whether there may be such values: of expressions alone it is taken that there are. */
function isPossible(decisions: readonly Decision[]): boolean {
  return decisions.every(
    ({ atom, holds }) =>
      !holds ||
      atom.exact === undefined ||
      decisions.every((other) => other.atom.of !== atom.of || other.atom.test(atom.exact!) === other.holds),
  );
}
