/** Certificates of authorities, as the snapshot has them, for whoever verifies others with them. Each is loaded once per content. */
import { X509Certificate } from 'node:crypto';
import type { Diagnostic } from '../snapshot/diagnostic.ts';
import type { CaBundle, CaBundleKey } from '../snapshot/snapshot.ts';

export interface LoadedBundle {
  /** Of the bundle. */
  readonly hash: string;
  /** PEM, each on its own; those that can't be loaded are left out, so there may be none. */
  readonly certificates: readonly string[];
}

export class CaBundles {
  readonly #loaded = new Map<CaBundleKey, LoadedBundle>();
  readonly #problems = new Map<CaBundleKey, Diagnostic>();

  put(bundle: CaBundle): void {
    const { key, hash } = bundle;
    if (this.#loaded.get(key)?.hash === hash) return;
    const all = bundle.certificates.match(/-----BEGIN CERTIFICATE-----[^-]*-----END CERTIFICATE-----/g) ?? [];
    const certificates = all.filter(isCertificate);
    this.#loaded.set(key, { hash, certificates });
    const broken = all.length - certificates.length;
    if (all.length > 0 && broken === 0) this.#problems.delete(key);
    else this.#problems.set(key, problem(bundle, all.length, broken));
  }

  remove(key: CaBundleKey): void {
    this.#loaded.delete(key);
    this.#problems.delete(key);
  }

  get(key: CaBundleKey): LoadedBundle | undefined {
    return this.#loaded.get(key);
  }

  get problems(): readonly Diagnostic[] {
    return [...this.#problems.values()];
  }
}

function isCertificate(pem: string): boolean {
  try {
    new X509Certificate(pem);
    return true;
  } catch {
    return false;
  }
}

function problem({ namespace, configMap }: CaBundle, all: number, broken: number): Diagnostic {
  return {
    severity: 'error',
    code: 'certificate/authority-not-loaded',
    object: { group: '', kind: 'ConfigMap', namespace, name: configMap },
    field: 'data["ca.crt"]',
    message: `found ${broken} of ${all} certificates that can't be loaded; none that they issued is valid`,
    fix: 'put the certificates of the authority in PEM form into ca.crt',
  };
}
