/**
 * Header fields as node:http gives and takes them: a flat list of names and values in the order and spelling received. Edits
 * scan it: heads are short, and most requests have none.
 */
import type { EditableHead, ResponseHead } from '../filters/definition.ts';

function sameName(field: string, lower: string): boolean {
  return field.length === lower.length && (field === lower || field.toLowerCase() === lower);
}

/** Values of one name, which is in lower case, joined by ", " (RFC 9110 section 5.3). */
export function fieldValue(raw: readonly string[], lower: string): string | undefined {
  let value: string | undefined;
  for (let i = 0; i < raw.length; i += 2) {
    if (sameName(raw[i]!, lower)) value = value === undefined ? raw[i + 1]! : `${value}, ${raw[i + 1]!}`;
  }
  return value;
}

export class HeaderFields implements EditableHead {
  #raw: string[];

  constructor(raw: string[]) {
    this.#raw = raw;
  }

  /** Names and values in turns, for `writeHead` and `http.request`. */
  get raw(): string[] {
    return this.#raw;
  }

  get(name: string): string | undefined {
    return fieldValue(this.#raw, name.toLowerCase());
  }

  set(name: string, value: string): void {
    this.remove(name);
    this.#raw.push(name, value);
  }

  add(name: string, value: string): void {
    this.#raw.push(name, value);
  }

  remove(name: string): void {
    const lower = name.toLowerCase();
    const raw = this.#raw;
    for (let i = 0; i < raw.length; i += 2) {
      if (!sameName(raw[i]!, lower)) continue;
      this.removeIf(lower[0]!, (field) => field === lower);
      return;
    }
  }

  removeIf(initials: string, test: (lowerName: string) => boolean): void {
    const raw = this.#raw;
    let kept = 0;
    for (let i = 0; i < raw.length; i += 2) {
      const name = raw[i]!.toLowerCase();
      if (initials.includes(name[0]!) && test(name)) continue;
      raw[kept++] = raw[i]!;
      raw[kept++] = raw[i + 1]!;
    }
    raw.length = kept;
  }

  each(visit: (name: string, value: string) => void): void {
    for (let i = 0; i < this.#raw.length; i += 2) visit(this.#raw[i]!, this.#raw[i + 1]!);
  }
}

export class ResponseFields extends HeaderFields implements ResponseHead {
  status: number;

  constructor(status: number, raw: string[]) {
    super(raw);
    this.status = status;
  }
}
