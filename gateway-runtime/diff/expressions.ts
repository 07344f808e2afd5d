/**
 * What is known of the expressions of routes: whether a text matches, and what every text that matches begins with. More is not: two
 * expressions are not compared, so a set of requests that needs one is only possible until a request in it is found.
 */
import type { CompiledRegex, RegexEngine } from '../match/regex.ts';

export class Expressions {
  readonly #engine: RegexEngine;
  readonly #compiled = new Map<string, ReturnType<RegexEngine['compile']>>();
  readonly #beginnings = new Map<string, Beginning>();

  constructor(engine: RegexEngine) {
    this.#engine = engine;
  }

  /** The engine that compiles an expression once, however often it is asked for. */
  readonly engine: RegexEngine = { compile: (source) => this.#compile(source) };

  #compile(source: string): { readonly regex: CompiledRegex } | { readonly problem: string } {
    const known = this.#compiled.get(source);
    if (known) return known;
    const result = this.#engine.compile(source);
    this.#compiled.set(source, result);
    return result;
  }

  /** One that does not compile matches nothing, as in the matchers. */
  matches(source: string, text: string): boolean {
    const compiled = this.#compile(source);
    return 'regex' in compiled && compiled.regex.test(text);
  }

  /** Whether there may be a text that matches. */
  mayMatch(source: string): boolean {
    return 'regex' in this.#compile(source);
  }

  /** What every text that matches begins with. */
  beginning(source: string): string {
    return this.#beginning(source).text;
  }

  /** The one text that matches, where there is no other. */
  only(source: string): string | undefined {
    const { text, isAll } = this.#beginning(source);
    return isAll ? text : undefined;
  }

  #beginning(source: string): Beginning {
    const known = this.#beginnings.get(source) ?? literalBeginning(source);
    this.#beginnings.set(source, known);
    return known;
  }
}

interface Beginning {
  readonly text: string;
  /** Nothing comes after it. */
  readonly isAll: boolean;
}

/** The literal text that an expression begins with; empty where it does not, or that is not plain to see. */
function literalBeginning(source: string): Beginning {
  // An alternative anywhere may be one of the whole.
  let text = '';
  if (source.includes('|')) return { text, isAll: false };
  let i = source.startsWith('^') ? 1 : 0;
  for (; i < source.length; i++) {
    let character = source[i]!;
    if (character === '\\') {
      character = source[++i] ?? '';
      // An escaped letter or digit is a class, a code or an anchor.
      if (!/^[^A-Za-z0-9]$/.test(character)) return { text, isAll: false };
    } else if ('.[]()*+?{}^$'.includes(character)) return { text, isAll: false };
    // What may be left out, or come more than once, is not sure as it stands.
    if ('*?{'.includes(source[i + 1] ?? ' ')) return { text, isAll: false };
    text += character;
  }
  return { text, isAll: true };
}

/** Expressions that match every path. */
export const EVERY_PATH: ReadonlySet<string> = new Set(['.*', '.+', '/.*']);
/** Matches every value of a header; not of a query parameter, which may have the end of a line in it. */
export const EVERY_VALUE = '.*';
