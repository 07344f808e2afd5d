/**
 * Values that are brought up to date at the cost of what changed. A derived value is kept until something it read while
 * it was computed has another value; what was looked up and not found counts as read. What reads it in turn is looked
 * at again only where the recomputed value is another one.
 *
 * Values are plain data (and Maps); a computation is pure and reads only through the same Memo.
 */
import { same } from './same.ts';

interface Node {
  readonly home: Map<string, Node>;
  readonly key: string;
  /** Absent for an input. */
  readonly compute: (() => unknown) | undefined;
  value: unknown;
  /** Something that it read may have changed since it was computed. */
  stale: boolean;
  /** The revisions in which its value last became another one, and in which it was last found right. */
  changedAt: number;
  checkedAt: number;
  /** In the order in which they were read; now and then one stands there twice. */
  reads: readonly Node[];
  /** Made when it is first read: most nodes have few readers or none. */
  readBy: Set<Node> | undefined;
  /** The computation that it was last noted for as read. */
  notedFor: number;
  observer: Observer<unknown> | undefined;
  /** The value that the observer was last told of. */
  told: unknown;
}

/** Told when an observed value has become another one; `undefined` stands for none. */
export type Observer<V> = (before: V | undefined, after: V | undefined) => void;

export interface Input<V> {
  get(...key: string[]): V | undefined;
  set(value: V | undefined, ...key: string[]): void;
}

export interface Derived<V> {
  get(...key: string[]): V;
  /** Keeps the value up to date from the next `settle` on. */
  observe(observer: Observer<V>, ...key: string[]): void;
  unobserve(...key: string[]): void;
  /** As `Memo.settle`, for the observed values of this derivation alone. */
  settle(): void;
}

/** No name of an object can hold it. */
const SEPARATOR = '\0';
const NEVER = -1;
const NOTHING: readonly Node[] = [];

export class Memo {
  #revision = 0;
  /** What the running computation has read so far, and its number. */
  #reading: Node[] | undefined;
  #computation = 0;
  /** Of computations and of their links: what nodes are noted for. */
  #lastNote = 0;
  #computations = 0;
  /** Observed, and stale or never told of. */
  readonly #pending = new Set<Node>();
  /** Nodes that lost a reader or never had one. */
  readonly #unused = new Set<Node>();

  /** How many values were computed so far: what changes cost, whatever the machine. */
  get computations(): number {
    return this.#computations;
  }

  /** Values given from outside. Not to be set while `settle` runs. */
  input<V>(): Input<V> {
    const home = new Map<string, Node>();
    const at = (key: string) => home.get(key) ?? this.#add(home, key, undefined);
    return {
      get: (...key) => this.#read(at(key.join(SEPARATOR))) as V | undefined,
      set: (value, ...key) => {
        const node = at(key.join(SEPARATOR));
        if (!same(node.value, value)) {
          node.value = value;
          node.changedAt = ++this.#revision;
          this.#spread(node);
        }
        this.#unused.add(node);
        this.#sweep();
      },
    };
  }

  /** Values computed from others, by key. */
  derive<V>(compute: (...key: string[]) => V): Derived<V> {
    const home = new Map<string, Node>();
    const at = (key: string[]) => {
      const joined = key.join(SEPARATOR);
      return home.get(joined) ?? this.#add(home, joined, () => compute(...key));
    };
    return {
      get: (...key) => this.#read(at(key)) as V,
      observe: (observer, ...key) => {
        const node = at(key);
        node.observer = observer as Observer<unknown>;
        this.#pending.add(node);
      },
      unobserve: (...key) => {
        const node = home.get(key.join(SEPARATOR));
        if (!node?.observer) return;
        const { observer, told } = node;
        node.observer = undefined;
        node.told = undefined;
        this.#pending.delete(node);
        this.#unused.add(node);
        if (told !== undefined) observer(told, undefined);
      },
      settle: () => this.#settle(home),
    };
  }

  /** Brings every observed value up to date and tells the observers, which may begin and end observations. */
  settle(): void {
    this.#settle();
  }

  #settle(home?: Map<string, Node>): void {
    // A Set goes on to what is added to it meanwhile.
    for (const node of this.#pending) {
      if (home && node.home !== home) continue;
      this.#pending.delete(node);
      this.#refresh(node);
      const { told, value } = node;
      if (told === value) continue;
      node.told = value;
      node.observer!(told, value);
    }
    this.#sweep();
  }

  #add(home: Map<string, Node>, key: string, compute: (() => unknown) | undefined): Node {
    const node: Node = {
      home,
      key,
      compute,
      value: undefined,
      stale: compute !== undefined,
      changedAt: NEVER,
      checkedAt: NEVER,
      reads: NOTHING,
      readBy: undefined,
      notedFor: 0,
      observer: undefined,
      told: undefined,
    };
    home.set(key, node);
    return node;
  }

  #read(node: Node): unknown {
    this.#refresh(node);
    if (this.#reading) {
      if (node.notedFor !== this.#computation) this.#reading.push(node);
      node.notedFor = this.#computation;
    } else {
      this.#unused.add(node);
      this.#sweep();
    }
    return node.value;
  }

  #refresh(node: Node): void {
    if (!node.stale) return;
    if (this.#isOutdated(node)) this.#recompute(node);
    node.stale = false;
    node.checkedAt = this.#revision;
  }

  #isOutdated(node: Node): boolean {
    if (node.checkedAt === NEVER) return true;
    for (const read of node.reads) {
      this.#refresh(read);
      if (read.changedAt > node.checkedAt) return true;
    }
    return false;
  }

  #recompute(node: Node): void {
    const [outer, outerComputation] = [this.#reading, this.#computation];
    const reads: Node[] = [];
    this.#reading = reads;
    this.#computation = ++this.#lastNote;
    this.#computations++;
    let value: unknown;
    try {
      value = node.compute!();
    } finally {
      this.#reading = outer;
      this.#computation = outerComputation;
    }
    this.#link(node, reads);
    if (node.checkedAt !== NEVER && same(node.value, value)) return;
    node.value = value;
    node.changedAt = this.#revision;
  }

  #link(node: Node, reads: readonly Node[]): void {
    // Computations within this one have noted some of these for themselves since.
    const linking = ++this.#lastNote;
    for (const read of reads) {
      read.notedFor = linking;
      read.readBy ??= new Set();
      read.readBy.add(node);
    }
    for (const read of node.reads) if (read.notedFor !== linking) this.#forget(read, node);
    node.reads = reads;
  }

  /** Marks what read this, directly or not. */
  #spread(node: Node): void {
    for (const reader of node.readBy ?? NOTHING) {
      if (reader.stale) continue;
      reader.stale = true;
      if (reader.observer) this.#pending.add(reader);
      this.#spread(reader);
    }
  }

  #forget(read: Node, reader: Node): void {
    read.readBy?.delete(reader);
    this.#unused.add(read);
  }

  /** Never while something is computed: what seems unused may have just been read. */
  #sweep(): void {
    for (const node of this.#unused) {
      this.#unused.delete(node);
      if (node.readBy?.size || node.observer) continue;
      if (node.compute === undefined && node.value !== undefined) continue;
      node.home.delete(node.key);
      for (const read of node.reads) this.#forget(read, node);
    }
  }
}
