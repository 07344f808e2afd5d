/**
 * Where in the user's own files each construct was made, and each rule of a route: so that an error found at synth, long after
 * those lines have run, can still name the line to mend.
 */
import { createRequire } from 'node:module';
import { fileURLToPath } from 'node:url';
import type { IConstruct } from 'constructs';
import type { Place } from './messages.ts';

/** A function of the libraries, found by its name. */
type Method = (this: object, ...args: unknown[]) => unknown;
type Methods = Record<string, Method | undefined>;

/** The most rules that keep their number: a route with more is written as several. */
const UNSPLIT = 16;

export class Places {
  readonly #isOwn: (file: string) => boolean;
  readonly #constructs = new WeakMap<object, Place>();
  readonly #rules = new WeakMap<object, (Place | undefined)[]>();

  /** `isOwn` says whether a file is the user's, and not a library's or ours. */
  constructor(isOwn: (file: string) => boolean) {
    this.#isOwn = isOwn;
  }

  /** Listens to the app's own copies of the libraries. A library without the function is none that can be listened to. */
  async listen(app: string, loadGatewright: () => Promise<object>): Promise<void> {
    const { Node } = createRequire(app)('constructs') as { Node: { prototype: Methods } };
    before(Node.prototype, 'addChild', (_, [child]) => {
      const place = this.#here();
      if (place) this.#constructs.set(child as object, place);
    });
    const { TeamRoute } = (await loadGatewright()) as { TeamRoute?: { prototype: Methods } };
    before(TeamRoute?.prototype, 'rule', (route) => {
      const places = this.#rules.get(route) ?? [];
      this.#rules.set(route, places);
      places.push(this.#here());
    });
  }

  /** By the paths of the constructs of an app. */
  of(app: IConstruct): (path: string, message?: string) => Place | undefined {
    const constructs = new Map(app.node.findAll().map((each) => [each.node.path, each]));
    return (path, message = '') => {
      const construct = constructs.get(path);
      if (!construct) return undefined;
      const rules = this.#rules.get(construct) ?? [];
      // What a route says of its own rules counts them as they were written, not as they are split.
      const [, own, index] = /^spec\.rules\[(\d+)\] \(.*?\): |\bspec\.rules\[(\d+)\]/.exec(message) ?? [];
      const rule = own !== undefined ? rules[Number(own)] : undefined;
      const unsplit = index !== undefined && rules.length <= UNSPLIT ? rules[Number(index)] : undefined;
      return rule ?? unsplit ?? this.#constructs.get(construct);
    };
  }

  /** The line of the user's that is running. */
  #here(): Place | undefined {
    const { prepareStackTrace } = Error;
    try {
      Error.prepareStackTrace = (_, sites) => sites;
      for (const site of new Error().stack as unknown as NodeJS.CallSite[]) {
        const name = site.getFileName();
        const file = name?.startsWith('file:') ? fileURLToPath(name) : name;
        const line = site.getLineNumber();
        if (file && line && !file.startsWith('node:') && this.#isOwn(file)) return { file, line };
      }
      return undefined;
    } finally {
      Error.prepareStackTrace = prepareStackTrace;
    }
  }
}

function before(
  methods: Methods | undefined,
  name: string,
  hear: (self: object, args: unknown[]) => void,
): void {
  const original = methods?.[name];
  if (!methods || !original) return;
  methods[name] = function (...args) {
    hear(this, args);
    return original.apply(this, args);
  };
}
