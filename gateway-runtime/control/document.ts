/**
 * YAML or JSON text to objects: every document of it, lists unfolded, each object checked by the rules of its kind, and
 * what is refused named with document, line, object and field. Everything is bounded: text is written by people who may
 * not own this process.
 */
import {
  type Document,
  isMap,
  isNode,
  isScalar,
  isSeq,
  LineCounter,
  type Node,
  parseAllDocuments,
  type YAMLError,
} from 'yaml';
import type { RawObject } from '../api/object.ts';
import type { Origin } from '../snapshot/diagnostic.ts';
import { readObject } from './read-object.ts';
import type { SourcedObject, SourceProblem } from './source.ts';

/** Bytes of one file: the API server itself refuses objects above 1.5 MiB. */
export const LARGEST_FILE = 32 * 1024 * 1024;
/** How often one document may expand an alias: enough for anchors as people use them, too few for a "billion laughs". */
const MOST_ALIASES = 100;
const NESTED_TOO_DEEPLY = 'nested too deeply to be read';

export interface ParsedText {
  readonly objects: readonly SourcedObject[];
  readonly problems: readonly SourceProblem[];
  /** Objects of well-known kinds that serving has no use for, counted by kind. */
  readonly passedOver: ReadonlyMap<string, number>;
  /** The text could not be read as a whole: its objects are not known, so the former ones should stay. */
  readonly broken: boolean;
  /** As in ReadPart. */
  readonly emptied?: SourceProblem;
}

export interface ParseOptions {
  /** The file was not named, but stands in a folder that was, among other things perhaps: what is no object is passed over. */
  readonly inFolder?: boolean;
}

/** Keys that every object has. */
const OBJECT_KEY = /(?:^|[\s{,"'])(?:apiVersion|kind)["']?\s*:/;

/** Never throws. `file` is how messages name it. */
export function parseText(text: string, file: string, { inFolder = false }: ParseOptions = {}): ParsedText {
  const nothing = { objects: [], problems: [], passedOver: new Map(), broken: false };
  if (text.trim() === '') return { ...nothing, emptied: emptied(file, 'the file is empty') };
  // Comments alone are how people take objects away for a while.
  const isForeign = inFolder && !OBJECT_KEY.test(text) && /^(?!\s*#)\s*\S/m.test(text);
  if (isForeign) return { ...nothing, emptied: emptied(file, 'it has no Kubernetes object any more') };
  const lines = new LineCounter();
  const parsed = new TextParser(file, lines, inFolder);
  try {
    const documents = parseAllDocuments(text, {
      lineCounter: lines,
      prettyErrors: false,
      merge: true,
      logLevel: 'silent',
    });
    parsed.readAll('empty' in documents ? [] : documents);
  } catch (error) {
    parsed.refuse({ message: error instanceof RangeError ? NESTED_TOO_DEEPLY : (error as Error).message });
  }
  return parsed;
}

function emptied(file: string, what: string): SourceProblem {
  const message = `${what}, so the objects that it had stay`;
  const fix = 'write them again; to take them away, remove the file or leave a comment in it';
  return { severity: 'error', file, message, fix };
}

class TextParser implements ParsedText {
  readonly objects: SourcedObject[] = [];
  readonly problems: SourceProblem[] = [];
  readonly passedOver = new Map<string, number>();
  broken = false;
  readonly #file: string;
  readonly #lines: LineCounter;
  readonly #inFolder: boolean;

  constructor(file: string, lines: LineCounter, inFolder: boolean) {
    this.#file = file;
    this.#lines = lines;
    this.#inFolder = inFolder;
  }

  readAll(documents: readonly Document.Parsed[]): void {
    const single = documents.length === 1;
    for (const [index, document] of documents.entries()) {
      this.#readDocument(document, single ? undefined : index + 1);
    }
  }

  refuse(problem: Pick<SourceProblem, 'message' | 'document' | 'line' | 'fix'>): void {
    this.broken = true;
    this.problems.push({ severity: 'error', file: this.#file, ...problem });
  }

  #readDocument(document: Document.Parsed, number: number | undefined): void {
    const at = this.#at(number);
    const [error] = document.errors as YAMLError[];
    if (error) {
      this.refuse({ ...at, line: this.#lineAt(error.pos[0]), message: sentence(error) });
      return;
    }
    let value: unknown;
    try {
      value = document.toJS({ maxAliasCount: MOST_ALIASES });
    } catch {
      this.refuse({
        ...at,
        message: `its aliases expand to more than ${MOST_ALIASES} times what is written`,
        fix: 'write the values out',
      });
      return;
    }
    // "---" with nothing, or only comments, after it.
    if (value === null || value === undefined) return;
    this.#readValue(value, document.contents, number, '');
  }

  #readValue(value: unknown, node: unknown, number: number | undefined, item: string): void {
    if (typeof value !== 'object' || value === null || Array.isArray(value)) {
      const found = Array.isArray(value) ? 'a list' : `the text ${JSON.stringify(value)?.slice(0, 40)}`;
      const message = `found ${found}, expected an object with apiVersion, kind and metadata`;
      this.refuse({ ...this.#at(number), ...this.#lineOf(node), message });
      return;
    }
    const raw = value as RawObject;
    if (this.#inFolder && raw.apiVersion === undefined && raw.kind === undefined) return;
    if (Array.isArray(raw.items) && typeof raw.kind === 'string' && raw.kind.endsWith('List')) {
      const items = isMap(node) ? node.get('items', true) : undefined;
      for (const [index, each] of raw.items.entries()) {
        this.#readValue(each, isSeq(items) ? items.items[index] : undefined, number, ` item ${index + 1}`);
      }
      return;
    }
    const origin = `${this.#file}${number === undefined ? '' : ` document ${number}`}${item}`;
    this.#readObject(raw, node, origin, number);
  }

  #readObject(raw: RawObject, node: unknown, origin: Origin, number: number | undefined): void {
    const read = readObject(raw, origin, (field) => ({
      file: this.#file,
      ...this.#at(number),
      ...this.#lineOf(nodeAt(node, field)),
    }));
    if (read.object) this.objects.push(read.object);
    if (read.passedOver)
      this.passedOver.set(read.passedOver, (this.passedOver.get(read.passedOver) ?? 0) + 1);
    this.problems.push(...(read.problems ?? []));
  }

  #at(number: number | undefined): { document?: number } {
    return number === undefined ? {} : { document: number };
  }

  #lineOf(node: unknown): { line?: number } {
    const start = isNode(node) ? node.range?.[0] : undefined;
    return start === undefined ? {} : { line: this.#lineAt(start) };
  }

  #lineAt(offset: number): number {
    return this.#lines.linePos(offset).line;
  }
}

/** The parser's message without its position, which is given apart, and without the text it quotes, which may be a Secret's. */
function sentence(error: YAMLError): string {
  if (error.code === 'DUPLICATE_KEY') return 'a key stands twice in one map';
  if (error.code === 'RESOURCE_EXHAUSTION') return NESTED_TOO_DEEPLY;
  return `found no valid YAML: ${error.message.replace(/(?<=\w): .*|(?<=escape sequence) .*|\.$/s, '')}`;
}

/** The node of a field such as `spec.rules[0].name`; where it is missing, the nearest one around it that is there. */
function nodeAt(root: unknown, field: string): unknown {
  let node = root;
  let rest = field;
  while (rest) {
    const next: { node: unknown; length: number } | undefined = isSeq(node)
      ? itemAt(node.items, rest)
      : isMap(node)
        ? pairAt(node.items, rest)
        : undefined;
    if (!next) break;
    node = next.node;
    rest = rest.slice(next.length).replace(/^\./, '');
  }
  return node;
}

function itemAt(items: readonly unknown[], path: string): { node: unknown; length: number } | undefined {
  const index = /^\[(\d+)\]/.exec(path);
  const node = index ? items[Number(index[1])] : undefined;
  return index && isNode(node) ? { node, length: index[0].length } : undefined;
}

/** Keys may contain dots themselves (labels), so the longest key that fits is taken. */
function pairAt(
  pairs: readonly { key: unknown; value: unknown }[],
  path: string,
): { node: unknown; length: number } | undefined {
  let best: { node: unknown; length: number } | undefined;
  for (const { key, value } of pairs) {
    const name = isScalar(key) ? String(key.value) : '';
    if (!path.startsWith(name) || !/^[.[]?$/.test(path.charAt(name.length))) continue;
    // A key says better than its block value where a field is; a list's items carry their own lines.
    const node: unknown = path.length === name.length && !isSeq(value) ? key : value;
    if (name.length > (best?.length ?? 0) && isNode(node)) best = { node: node as Node, length: name.length };
  }
  return best;
}
