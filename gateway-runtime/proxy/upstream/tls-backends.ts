/**
 * Which backends are reached over TLS, and how, from what the snapshot and the certificates say: made anew where any of it changed, and
 * only there, so that connections that are still as they should be stay in use.
 */
import type { SecureContext } from 'node:tls';
import type {
  Backend,
  BackendKey,
  BackendTls,
  CaBundleKey,
  CertificateBundle,
} from '../../snapshot/snapshot.ts';
import type { CaBundles } from '../ca-bundles.ts';
import { secureContext, UpstreamTls } from './upstream-tls.ts';

/** `refused`: the backend is to be reached over TLS, and can't be. */
export type BackendTransport = UpstreamTls | 'refused' | undefined;

interface Made {
  /** Of all that it was made from. */
  readonly identity: string;
  readonly material: string;
  readonly tls: BackendTransport;
}

interface SharedContext {
  readonly context: SecureContext;
  uses: number;
}

export class TlsBackends {
  readonly #bundles: CaBundles;
  readonly #wanted = new Map<BackendKey, BackendTls>();
  readonly #made = new Map<BackendKey, Made>();
  /** By the hashes of what is in them. */
  readonly #contexts = new Map<string, SharedContext>();
  readonly #changed = new Set<BackendKey>();
  #client: CertificateBundle | undefined;
  readonly #onError: (error: unknown) => void;

  constructor(bundles: CaBundles, onError: (error: unknown) => void) {
    this.#bundles = bundles;
    this.#onError = onError;
  }

  put({ key, tls }: Backend): void {
    if (!tls && !this.#wanted.has(key)) return;
    if (tls) this.#wanted.set(key, tls);
    else this.#wanted.delete(key);
    this.#changed.add(key);
  }

  remove(key: BackendKey): void {
    if (this.#wanted.delete(key)) this.#changed.add(key);
  }

  /** The bundle came, went or has other certificates. */
  bundleChanged(bundle: CaBundleKey): void {
    for (const [key, { authorities }] of this.#wanted)
      if (authorities.includes(bundle)) this.#changed.add(key);
  }

  /** What is shown to backends that ask for a certificate; one that was loaded before. */
  set client(client: CertificateBundle | undefined) {
    if (this.#client?.hash === client?.hash) return;
    this.#client = client;
    for (const key of this.#wanted.keys()) this.#changed.add(key);
  }

  /** The backends whose transport is another one than when this was last called. */
  *take(): Generator<readonly [BackendKey, BackendTransport]> {
    for (const key of this.#changed) {
      const tls = this.#wanted.get(key);
      const before = this.#made.get(key);
      const made = tls && this.#make(tls, before);
      if (made === before) continue;
      if (made) this.#made.set(key, made);
      else this.#made.delete(key);
      if (before) this.#release(before.material);
      yield [key, made?.tls];
    }
    this.#changed.clear();
  }

  #make(tls: BackendTls, before: Made | undefined): Made {
    const { hostname, subjectAltNames, authorities, refusal } = tls;
    const bundles = authorities === 'System' ? undefined : authorities.map((key) => this.#bundles.get(key));
    const material = JSON.stringify([
      bundles ? bundles.map((each) => each?.hash) : 'System',
      this.#client?.hash,
    ]);
    const identity = JSON.stringify([material, hostname, subjectAltNames, refusal]);
    if (before?.identity === identity) return before;
    const trusted = bundles?.flatMap((each) => each?.certificates ?? []);
    if (refusal !== undefined || trusted?.length === 0) return { identity, material: '', tls: 'refused' };
    const context = this.#contextOf(material, trusted);
    return { identity, material, tls: new UpstreamTls(tls, context, this.#onError) };
  }

  #contextOf(material: string, authorities: readonly string[] | undefined): SecureContext {
    let shared = this.#contexts.get(material);
    if (!shared) {
      shared = { context: secureContext({ authorities, client: this.#client }), uses: 0 };
      this.#contexts.set(material, shared);
    }
    shared.uses++;
    return shared.context;
  }

  #release(material: string): void {
    const shared = this.#contexts.get(material);
    if (shared && --shared.uses === 0) this.#contexts.delete(material);
  }
}
