/** The backends of a TLS rule by their weights, made once per rule. */
import type { BackendKey, TlsRule } from '../../snapshot/snapshot.ts';

export interface TlsShares {
  readonly shares: readonly { readonly upTo: number; readonly backend: BackendKey | undefined }[];
  readonly total: number;
}

/** Those without weight are left out; those that did not resolve keep theirs. */
export function sharesOf({ backends }: TlsRule): TlsShares {
  let total = 0;
  const shares = backends
    .filter(({ weight }) => weight > 0)
    .map(({ weight, backend }) => {
      total += weight;
      return { upTo: total, backend };
    });
  return { shares, total };
}

/** The backend for a draw from 0 up to 1; undefined where the share that was drawn has none. */
export function drawn({ shares, total }: TlsShares, draw: number): BackendKey | undefined {
  const point = draw * total;
  for (const { upTo, backend } of shares) if (point < upTo) return backend;
  return undefined;
}
