/**
 * A message head as it was received: its text, and where in it each field stands. Fields travel on as they came; what is edited is
 * marked and written anew. A connection has one and uses it again for every message.
 */
import { isFieldValue, isToken } from './octets.ts';

/** Numbers per field: start and end of the name, start and end of the value, and whether it is dropped. */
const STRIDE = 5;
const DROPPED = 4;
/** Fields that there is room for without more memory: as many as browsers send. */
const ROOM = 12;

/** What the reader notes of a head on its way through. */
export class Head {
  /** The whole head, one character per octet. */
  text = '';
  /** Of fields. */
  count = 0;
  /** Where the fields end: before the empty line. */
  end = 0;
  readonly at: number[] = new Array(ROOM * STRIDE);

  // Requests
  method = '';
  targetStart = 0;
  targetEnd = 0;
  // Responses
  status = 0;
  /** From the status code on, to the end of the line. */
  statusStart = 0;
  statusEnd = 0;

  /** Of HTTP/1.x. */
  minor = 1;
  /** Fields that matter for framing and routing, by index; -1 where there is none. */
  host = -1;
  hosts = 0;
  connection = -1;
  upgrade = -1;
  contentLength = -1;
  transferEncoding = -1;
  expect = -1;
  keepAlive = -1;
  te = -1;
  trailer = -1;
  date = -1;
  /** Number of octets of the body, where Content-Length says so. */
  length = -1;
  chunked = false;
  /** Options of Connection fields. */
  close = false;
  asksUpgrade = false;
  /** Connection lists fields beyond those that are dropped anyway. */
  listsFields = false;

  /** Fields that filters and the proxy add. */
  readonly #extra: string[] = [];

  reset(): void {
    this.count = 0;
    this.host = this.connection = this.upgrade = this.contentLength = this.transferEncoding = -1;
    this.expect = this.keepAlive = this.te = this.trailer = this.date = -1;
    this.hosts = 0;
    this.length = -1;
    this.chunked = this.close = this.asksUpgrade = this.listsFields = false;
    if (this.#extra.length) this.#extra.length = 0;
  }

  /** Lets go of what was read: a connection may be idle for long, and a head be large. Not while somebody may ask for a field. */
  forget(): void {
    this.reset();
    this.text = this.method = '';
  }

  /** Index of the new field. */
  push(nameStart: number, nameEnd: number, valueStart: number, valueEnd: number): number {
    const { at, count } = this;
    const base = count * STRIDE;
    at[base] = nameStart;
    at[base + 1] = nameEnd;
    at[base + 2] = valueStart;
    at[base + 3] = valueEnd;
    at[base + DROPPED] = 0;
    this.count = count + 1;
    return count;
  }

  /** As it stands now. */
  get hasDate(): boolean {
    if (this.date >= 0 && this.at[this.date * STRIDE + DROPPED] === 0) return true;
    return this.#extra.length > 0 && this.get('date') !== undefined;
  }

  drop(index: number): void {
    if (index >= 0) this.at[index * STRIDE + DROPPED] = 1;
  }

  nameOf(index: number): string {
    const base = index * STRIDE;
    return this.text.slice(this.at[base], this.at[base + 1]);
  }

  valueOf(index: number): string {
    const base = index * STRIDE;
    return this.text.slice(this.at[base + 2], this.at[base + 3]);
  }

  /** As received, whatever was edited since. `lower` is in lower case. */
  received(lower: string): string | undefined {
    return this.#find(lower, false);
  }

  get(name: string): string | undefined {
    const lower = name.toLowerCase();
    let value = this.#find(lower, true);
    for (let i = 0; i < this.#extra.length; i += 2) {
      if (!sameName(this.#extra[i]!, lower)) continue;
      value = value === undefined ? this.#extra[i + 1]! : `${value}, ${this.#extra[i + 1]!}`;
    }
    return value;
  }

  set(name: string, value: string): void {
    this.remove(name);
    this.add(name, value);
  }

  /** Throws where name or value would not be one field. */
  add(name: string, value: string): void {
    if (!isKnownName(name) || !isFieldValue(value))
      throw new Error(`the field ${JSON.stringify(name)} can't be written`);
    this.#extra.push(name, value);
  }

  /** Host is written by whoever sends the head. */
  dropHost(): void {
    if (this.hosts === 1) this.drop(this.host);
    else this.remove('host');
    const extra = this.#extra;
    for (let i = extra.length - 2; i >= 0; i -= 2) if (sameName(extra[i]!, 'host')) extra.splice(i, 2);
  }

  remove(name: string): void {
    const lower = name.toLowerCase();
    for (let i = 0; i < this.count; i++) if (this.#isNamed(i, lower)) this.drop(i);
    const extra = this.#extra;
    for (let i = extra.length - 2; i >= 0; i -= 2) if (sameName(extra[i]!, lower)) extra.splice(i, 2);
  }

  /** Of the fields whose name begins with one of these letters, given in lower case, drops those that pass the test. */
  removeIf(initials: string, test: (lowerName: string) => boolean): void {
    const { at, text, count } = this;
    for (let i = 0; i < count; i++) {
      const initial = text.charCodeAt(at[i * STRIDE]!) | 0x20;
      for (let k = 0; k < initials.length; k++) {
        if (initials.charCodeAt(k) === initial && test(this.nameOf(i).toLowerCase())) this.drop(i);
      }
    }
    const extra = this.#extra;
    for (let i = extra.length - 2; i >= 0; i -= 2) if (test(extra[i]!.toLowerCase())) extra.splice(i, 2);
  }

  /** Every field that is left. */
  each(visit: (name: string, value: string) => void): void {
    for (let i = 0; i < this.count; i++) {
      if (this.at[i * STRIDE + DROPPED] === 0) visit(this.nameOf(i), this.valueOf(i));
    }
    for (let i = 0; i < this.#extra.length; i += 2) visit(this.#extra[i]!, this.#extra[i + 1]!);
  }

  /** Every field that is left, each with its line end. */
  fields(): string {
    const { at, text, count, end } = this;
    let out = '';
    let from = -1;
    for (let i = 0; i < count; i++) {
      const base = i * STRIDE;
      const start = at[base]!;
      if (at[base + DROPPED] === 0) {
        if (from < 0) from = start;
      } else if (from >= 0) {
        out += text.slice(from, start);
        from = -1;
      }
    }
    if (from >= 0) out += text.slice(from, end);
    const extra = this.#extra;
    for (let i = 0; i < extra.length; i += 2) out += `${extra[i]}: ${extra[i + 1]}\r\n`;
    return out;
  }

  #find(lower: string, onlyKept: boolean): string | undefined {
    let value: string | undefined;
    for (let i = 0; i < this.count; i++) {
      if (!this.#isNamed(i, lower) || (onlyKept && this.at[i * STRIDE + DROPPED] === 1)) continue;
      value = value === undefined ? this.valueOf(i) : `${value}, ${this.valueOf(i)}`;
    }
    return value;
  }

  #isNamed(index: number, lower: string): boolean {
    const base = index * STRIDE;
    const start = this.at[base]!;
    const length = lower.length;
    if (this.at[base + 1]! - start !== length) return false;
    const { text } = this;
    for (let i = 0; i < length; i++) {
      const code = text.charCodeAt(start + i);
      const wanted = lower.charCodeAt(i);
      // Upper and lower case of a letter differ in this bit; of what is no letter it must not be touched.
      if (code !== wanted && !(code >= 65 && code <= 90 && code + 32 === wanted)) return false;
    }
    return true;
  }
}

/** Names that were checked once: those of filters and of the proxy itself, which are few. */
const KNOWN_NAMES = new Set<string>();

function isKnownName(name: string): boolean {
  if (KNOWN_NAMES.has(name)) return true;
  if (!isToken(name)) return false;
  if (KNOWN_NAMES.size < 1_000) KNOWN_NAMES.add(name);
  return true;
}

function sameName(name: string, lower: string): boolean {
  return name.length === lower.length && name.toLowerCase() === lower;
}
