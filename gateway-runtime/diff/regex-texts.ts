/**
 * A few texts that an expression (RE2 syntax) may match: short ones, and ones with given pieces in them. They are guesses, to be tried with
 * the engine; of what is not understood there are none.
 */

/** Texts that are kept of each part of an expression. */
const MOST = 24;
const POOL = 'ax1/-_.A0 ,:=b';

class NotUnderstood extends Error {}

/** @param pieces what is wanted within the texts, such as the path that they must begin with */
export function textsFor(source: string, pieces: readonly string[] = []): readonly string[] {
  try {
    const reader = new Reader(source, pieces);
    const texts = reader.alternatives();
    return reader.isAtEnd ? texts : [];
  } catch (error) {
    if (error instanceof NotUnderstood) return [];
    throw error;
  }
}

interface Atom {
  readonly texts: readonly string[];
  /** For one character: whether it may be this. */
  readonly has?: (character: string) => boolean;
}

class Reader {
  readonly #source: string;
  readonly #pieces: readonly string[];
  #at = 0;

  constructor(source: string, pieces: readonly string[]) {
    this.#source = source;
    this.#pieces = pieces;
  }

  get isAtEnd(): boolean {
    return this.#at === this.#source.length;
  }

  #takes(text: string): boolean {
    if (!this.#source.startsWith(text, this.#at)) return false;
    this.#at += text.length;
    return true;
  }

  #pattern(pattern: RegExp): RegExpExecArray | undefined {
    pattern.lastIndex = this.#at;
    const found = pattern.exec(this.#source);
    if (found) this.#at += found[0].length;
    return found ?? undefined;
  }

  alternatives(): readonly string[] {
    const all = [this.#sequence()];
    while (this.#takes('|')) all.push(this.#sequence());
    return mixed(all);
  }

  #sequence(): readonly string[] {
    let texts: readonly string[] = [''];
    while (!this.isAtEnd && !'|)'.includes(this.#source[this.#at]!)) {
      texts = joined(texts, this.#repeated(this.#atom()));
    }
    return texts;
  }

  #repeated(atom: Atom): readonly string[] {
    const found = this.#pattern(/(?:([*+?])|\{(\d+)(,(\d*))?\})\??/y);
    if (!found) return atom.texts;
    const [, sign, least, range, most] = found;
    const from = sign ? (sign === '+' ? 1 : 0) : Number(least);
    const to = sign ? (sign === '?' ? 1 : Infinity) : range === undefined ? from : Number(most || Infinity);
    if (from > 1000) throw new NotUnderstood();
    const pieces = atom.has
      ? this.#pieces.filter(
          (piece) =>
            piece.length >= from && piece.length <= to && [...piece].every((each) => atom.has!(each)),
        )
      : [];
    const times = [from, from + 1, from + 2].filter((count) => count <= to);
    return mixed([
      ...times.map((count) =>
        Array.from({ length: count }).reduce<readonly string[]>((texts) => joined(texts, atom.texts), ['']),
      ),
      pieces,
    ]);
  }

  #atom(): Atom {
    if (this.#takes('(')) return this.#group();
    if (this.#takes('[')) return characters(this.#characterClass());
    if (this.#takes('\\')) return this.#escape();
    if (this.#takes('.')) return characters((each) => each !== '\n');
    if (this.#takes('^') || this.#takes('$')) return { texts: [''] };
    const character = this.#source[this.#at++]!;
    if ('*+?'.includes(character)) throw new NotUnderstood();
    return one(character);
  }

  #group(): Atom {
    if (this.#takes('?')) {
      if (this.#pattern(/[imsU-]+\)/y)) return { texts: [''] };
      if (!this.#pattern(/(?:P?<\w+>|[imsU-]*:)/y)) throw new NotUnderstood();
    }
    const texts = this.alternatives();
    if (!this.#takes(')')) throw new NotUnderstood();
    return { texts };
  }

  #escape(): Atom {
    const character = this.#source[this.#at++] ?? '';
    const known = CLASSES[character];
    if (known) return characters(known);
    if ('bAz'.includes(character)) return { texts: [''] };
    if (/[A-Za-z0-9]/.test(character)) throw new NotUnderstood();
    return one(character);
  }

  #characterClass(): (character: string) => boolean {
    const isNegated = this.#takes('^');
    const tests: ((character: string) => boolean)[] = [];
    for (let first = true; first || !this.#takes(']'); first = false) {
      if (this.isAtEnd || this.#source.startsWith('[:', this.#at)) throw new NotUnderstood();
      const from = this.#source[this.#at++]!;
      const escaped = from === '\\' ? this.#source[this.#at++]! : undefined;
      const known = escaped === undefined ? undefined : CLASSES[escaped];
      if (known) {
        tests.push(known);
        continue;
      }
      if (escaped !== undefined && /[A-Za-z0-9]/.test(escaped)) throw new NotUnderstood();
      const low = escaped ?? from;
      const range = this.#pattern(/-\\?([^\]])/y);
      const high = range?.[1] ?? low;
      tests.push((each) => each >= low && each <= high);
    }
    return (each) => tests.some((test) => test(each)) !== isNegated;
  }
}

const CLASSES: Readonly<Record<string, (character: string) => boolean>> = {
  d: (each) => /[0-9]/.test(each),
  D: (each) => /[^0-9]/.test(each),
  w: (each) => /[0-9A-Za-z_]/.test(each),
  W: (each) => /[^0-9A-Za-z_]/.test(each),
  s: (each) => /[\t\n\f\r ]/.test(each),
  S: (each) => /[^\t\n\f\r ]/.test(each),
};

const one = (character: string): Atom => ({ texts: [character], has: (each) => each === character });

function characters(has: (character: string) => boolean): Atom {
  const texts = [...POOL].filter(has);
  if (texts.length > 0) return { texts: texts.slice(0, 3), has };
  for (let code = 33; code < 127; code++) {
    const character = String.fromCharCode(code);
    if (has(character)) return { texts: [character], has };
  }
  throw new NotUnderstood();
}

function joined(heads: readonly string[], tails: readonly string[]): readonly string[] {
  const texts: string[] = [];
  // Diagonally, so that each part has some say before there are enough.
  for (let sum = 0; sum < heads.length + tails.length - 1; sum++) {
    for (let i = Math.max(0, sum - tails.length + 1); i <= Math.min(sum, heads.length - 1); i++) {
      if (texts.length === MOST) return texts;
      texts.push(heads[i]! + tails[sum - i]!);
    }
  }
  return texts;
}

/** Some of each, in turns. */
function mixed(lists: readonly (readonly string[])[]): readonly string[] {
  const texts = new Set<string>();
  for (let i = 0; texts.size < MOST && lists.some((list) => i < list.length); i++) {
    for (const list of lists) if (i < list.length) texts.add(list[i]!);
  }
  return [...texts];
}
