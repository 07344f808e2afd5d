/**
 * The authority that data planes trust when they dial, and the certificate under it that this replica of the control plane shows.
 * Kept in a Secret that all replicas read and the leader writes. Everything follows from the ages of the roots in it, so that
 * replicas agree without talking: a new root is told to data planes long before anything is issued under it, and an old one
 * stays trusted until nothing under it is valid any more.
 */
import { createPrivateKey, X509Certificate } from 'node:crypto';
import { integer, list, object, string } from '../api/schema.ts';
import { checked } from '../distribution/exactly.ts';
import { issuerOf, issueServerCertificate, makeRoot } from './x509.ts';

export interface ServingCertificate {
  /** PEM. */
  readonly certificate: string;
  /** PEM. */
  readonly key: string;
}

export interface Root {
  /** PEM. */
  readonly certificate: string;
  readonly key: string;
  /** Milliseconds since 1970. */
  readonly made: number;
}

/** Where the roots are kept: one Secret. */
export interface AuthorityStore {
  /** Undefined where there is none. Rejects where it can't be read. */
  load(): Promise<{ readonly content: string; readonly revision: string } | undefined>;
  /** Over the revision that was read, or as new where none was; false where someone else has written meanwhile. */
  save(content: string, over: string | undefined): Promise<boolean>;
}

/** Milliseconds. */
export interface AuthorityTimes {
  /** Validity of a root. It is succeeded at half of it. */
  readonly root: number;
  /** For which a new root is told before it is used: more than any data plane takes to see a new file. */
  readonly told: number;
  /** Validity of a serving certificate. It is renewed at half of it. */
  readonly serving: number;
  /** Between looks at the store and the clock. */
  readonly look: number;
}

const HOUR = 3_600_000;

export const AUTHORITY_TIMES: AuthorityTimes = {
  root: 365 * 24 * HOUR,
  told: 24 * HOUR,
  serving: 24 * HOUR,
  look: 60_000,
};

export interface AuthorityOptions {
  readonly store: AuthorityStore;
  /** DNS names and addresses under which data planes dial. */
  readonly names: readonly string[];
  /** Whether this replica leads. */
  readonly mayWrite: () => boolean;
  /** The roots to be trusted from now on, PEM: to be brought to every data plane. */
  readonly onBundle: (bundle: string) => void;
  /** What keys for sessions are derived from, as of now, that for new sessions first: known to replicas of the control plane alone. */
  readonly onSessionSecrets?: (secrets: readonly string[]) => void;
  /** What to show from now on. */
  readonly onServing: (certificate: ServingCertificate) => void;
  readonly onEvent: (message: string) => void;
  readonly times?: AuthorityTimes;
  /** Milliseconds since 1970. Default: Date.now. */
  readonly now?: () => number;
}

const contentSchema = object({
  roots: list(
    object({
      certificate: string({ min: 1 }),
      key: string({ min: 1 }),
      made: integer({ min: 0, max: Number.MAX_SAFE_INTEGER }),
    }),
    { min: 1, max: 10 },
  ),
});

const DAY = 24 * HOUR;

/** What the roots should be now: the same list where nothing is due. */
export function rotated(roots: readonly Root[], now: number, times: AuthorityTimes): readonly Root[] {
  const issuing = issuingRoot(roots, now, times);
  const kept = roots.filter(
    ({ made }) =>
      issuing !== undefined &&
      // An older one is still needed for what was issued just before its successor took over.
      (made >= issuing.made || now < issuing.made + times.told + times.serving),
  );
  const newest = kept.at(-1);
  if (!newest || now - newest.made >= times.root / 2) return [...kept, newRoot(now, times)];
  return kept.length === roots.length ? roots : kept;
}

/** The newest that has been told for long enough; where none has, the oldest. Undefined where all are too old to be used. */
export function issuingRoot(roots: readonly Root[], now: number, times: AuthorityTimes): Root | undefined {
  const usable = roots.filter(({ made }) => now < made + times.root - times.serving);
  return usable.findLast(({ made }) => now - made >= times.told) ?? usable[0];
}

function newRoot(now: number, times: AuthorityTimes): Root {
  const { certificate, key } = makeRoot('Gatewright distribution', times.root / DAY, now);
  return { certificate, key: pem(key), made: now };
}

const pem = (key: ReturnType<typeof createPrivateKey>) =>
  key.export({ type: 'pkcs8', format: 'pem' }) as string;

export class Authority {
  readonly #options: AuthorityOptions;
  readonly #times: AuthorityTimes;
  readonly #now: () => number;
  #bundle = '';
  #serving: { readonly root: Root['certificate']; readonly until: number } | undefined;
  #timer: NodeJS.Timeout | undefined;
  #problem = '';

  constructor(options: AuthorityOptions) {
    this.#options = options;
    this.#times = options.times ?? AUTHORITY_TIMES;
    this.#now = options.now ?? Date.now;
  }

  /** Looks now, and from now on in intervals. */
  async start(): Promise<void> {
    await this.refresh();
    this.#timer = setInterval(() => void this.refresh(), this.#times.look);
    this.#timer.unref();
  }

  stop(): void {
    clearInterval(this.#timer);
  }

  /** Does what is due. Never rejects: what can't be done now is told once, and tried again at the next look. */
  async refresh(): Promise<void> {
    try {
      const roots = await this.#roots();
      if (roots) this.#use(roots);
      this.#problem = '';
    } catch (error) {
      const { message } = error as Error;
      if (message !== this.#problem) this.#options.onEvent(`The authority of data planes: ${message}.`);
      this.#problem = message;
    }
  }

  async #roots(): Promise<readonly Root[] | undefined> {
    const { store, mayWrite } = this.#options;
    const stored = await store.load();
    const roots = stored ? parsed(stored.content) : [];
    const due = rotated(roots, this.#now(), this.#times);
    if (due === roots) return roots;
    if (!mayWrite()) return roots.length > 0 ? roots : undefined;
    const saved = await store.save(JSON.stringify({ roots: due }), stored?.revision);
    // Another leader was faster; what it wrote is read at the next look.
    if (saved) return due;
    return roots.length > 0 ? roots : undefined;
  }

  #use(roots: readonly Root[]): void {
    const { names, onBundle, onServing, onSessionSecrets } = this.#options;
    const { serving } = this.#times;
    const bundle = roots.map(({ certificate }) => certificate).join('');
    if (bundle !== this.#bundle) {
      this.#bundle = bundle;
      onBundle(bundle);
    }
    const now = this.#now();
    const root = issuingRoot(roots, now, this.#times)!;
    // One that succeeds is told as early as it is to be trusted, and one that was succeeded counts for as long.
    onSessionSecrets?.([root, ...roots.filter((each) => each !== root)].map(({ key }) => key));
    if (this.#serving?.root === root.certificate && now < this.#serving.until - serving / 2) return;
    const issuer = issuerOf(new X509Certificate(root.certificate), createPrivateKey(root.key));
    const { certificate, key } = issueServerCertificate(issuer, names, serving / DAY, now);
    this.#serving = { root: root.certificate, until: now + serving };
    onServing({ certificate, key: pem(key) });
  }
}

function parsed(content: string): readonly Root[] {
  let value: unknown;
  try {
    value = JSON.parse(content);
  } catch {
    // The parser's message quotes keys.
    throw new Error('the Secret does not hold JSON; delete it to have a new authority made');
  }
  return checked(contentSchema, value, 'roots').roots;
}
