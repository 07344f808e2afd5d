/** Certificates of listeners: from `kubernetes.io/tls` Secrets to PEM. Only the shape is checked; the proxy loads them. */
import type { KindObject } from '../api/kinds.ts';
import { contentHash } from '../snapshot/canonical.ts';
import type { CertificateBundle, CertificateId } from '../snapshot/snapshot.ts';
import { type Finding, named } from './findings.ts';
import type { Derived, Memo } from './memo.ts';
import type { Objects, Withheld } from './objects.ts';
import type { References, Referrer } from './references.ts';

type CertificateRef = NonNullable<
  NonNullable<KindObject<'Gateway'>['spec']['listeners'][number]['tls']>['certificateRefs']
>[number];

const TLS_SECRET = 'kubernetes.io/tls';

/** What a Secret holds, or what is wrong with it. No message may hold any of its content. */
type Loaded =
  | { readonly bundle: CertificateBundle; readonly problem?: undefined }
  | ({ readonly bundle?: undefined } & Withheld);

/** One or both: a Secret that may be referred to can still be of no use. */
type Resolved =
  | { readonly id: CertificateId; readonly problem?: undefined }
  | { readonly id?: CertificateId; readonly problem: Finding };

export class Certificates {
  readonly #loaded: Derived<Loaded>;
  /** For the stream of certificates: undefined where there is none of this id. */
  readonly bundles: Derived<CertificateBundle | undefined>;
  readonly #references: References;

  constructor(memo: Memo, objects: Objects, references: References) {
    this.#references = references;
    this.#loaded = memo.derive((namespace, name) => load(objects, namespace!, name!));
    this.bundles = memo.derive((namespace, name) => this.#loaded.get(namespace!, name!).bundle);
  }

  /**
   * The certificate that a listener of `from` refers to, and why it can't have it where that is so. Without `id` the
   * Secret is not to be looked at.
   */
  resolve(from: Referrer, ref: CertificateRef, field: string): Resolved {
    const namespace = ref.namespace ?? from.namespace;
    const secret = { group: ref.group, kind: ref.kind, namespace, name: ref.name };
    const invalid = (message: string, fix: string): Finding => ({
      reason: 'InvalidCertificateRef',
      field,
      message,
      fix,
      related: [secret],
    });
    if (ref.group !== '' || ref.kind !== 'Secret') {
      const found = ref.group ? `${ref.kind} of group ${ref.group}` : ref.kind;
      const message = `found a reference to a ${found}, expected a Secret of the core group`;
      return { problem: invalid(message, 'refer to a Secret') };
    }
    const refusal = this.#references.refusal(from, secret, field);
    if (refusal) return { problem: refusal };
    const id = `${namespace}/${ref.name}`;
    const loaded = this.#loaded.get(namespace, ref.name);
    if (loaded.problem === undefined) return { id };
    return { id, problem: invalid(`${named(secret)} ${loaded.problem}`, loaded.fix) };
  }
}

function load(objects: Objects, namespace: string, name: string): Loaded {
  const secret = objects.get('Secret', namespace, name);
  if (!secret) {
    const withheld = objects.withheld('Secret', namespace, name);
    if (withheld) return withheld;
    return objects.isRefused('Secret', namespace, name)
      ? { problem: 'was refused for its fields', fix: 'correct the Secret' }
      : { problem: 'does not exist', fix: `create it as a Secret of type ${TLS_SECRET}` };
  }
  if (secret.type !== TLS_SECRET) {
    return {
      problem: `is of type ${secret.type}, expected ${TLS_SECRET}`,
      // The API server lets nobody change it.
      fix: `delete it and create it with type ${TLS_SECRET}`,
    };
  }
  const certificate = textOf(secret, 'tls.crt');
  const privateKey = textOf(secret, 'tls.key');
  if (certificate === undefined || !isPem(certificate, ['CERTIFICATE'])) {
    return {
      problem: `has ${certificate === undefined ? 'no' : 'no PEM certificate in'} tls.crt`,
      fix: 'put the certificate chain in PEM form, base64 encoded, into data of the Secret under tls.crt',
    };
  }
  if (privateKey === undefined || !isPem(privateKey, ['PRIVATE KEY', 'EC PRIVATE KEY', 'RSA PRIVATE KEY'])) {
    return {
      problem: `has ${privateKey === undefined ? 'no' : 'no PEM private key in'} tls.key`,
      fix: 'put the private key in PEM form, base64 encoded, into data of the Secret under tls.key',
    };
  }
  const id = `${namespace}/${name}`;
  return { bundle: { id, hash: contentHash({ certificate, privateKey }), certificate, privateKey } };
}

/** A value of a Secret as text. As on the API server, `stringData` comes before `data`. */
function textOf({ data, stringData }: KindObject<'Secret'>, key: string): string | undefined {
  if (stringData && Object.hasOwn(stringData, key)) return stringData[key];
  if (!data || !Object.hasOwn(data, key)) return undefined;
  try {
    return atob(data[key]!);
  } catch {
    return '';
  }
}

/** Whether there is a whole block of one of these labels. Linear, since tenants write Secrets. */
function isPem(text: string, labels: readonly string[]): boolean {
  return labels.some((label) => {
    const begin = `-----BEGIN ${label}-----`;
    const start = text.indexOf(begin);
    const end = text.indexOf(`-----END ${label}-----`, start);
    return start >= 0 && end >= 0 && /^[A-Za-z0-9+/=\s]+$/.test(text.slice(start + begin.length, end));
  });
}
