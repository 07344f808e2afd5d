/**
 * Certificates of authorities that something trusts: from the `ca.crt` of ConfigMaps to resources of the snapshot. Only their
 * shape is checked here; whoever verifies with them loads them.
 */
import { contentHash } from '../snapshot/canonical.ts';
import type { CaBundle } from '../snapshot/snapshot.ts';
import { type Finding, named } from './findings.ts';
import type { Derived, Memo } from './memo.ts';
import type { Objects, Withheld } from './objects.ts';
import { pemBlocks } from './pem.ts';
import type { References, Referrer } from './references.ts';

/** The key that the API names: "the CA certificate in a key named `ca.crt`" (FrontendTLSValidation.caCertificateRefs). */
const KEY = 'ca.crt';
/** All roots that browsers trust are fewer, and about 220,000 characters. */
const MOST_CERTIFICATES = 200;
const MOST_CHARACTERS = 300_000;

export interface CaCertificateRef {
  readonly group: string;
  readonly kind: string;
  readonly name: string;
  readonly namespace?: string;
}

/** What is wrong with a reference. The names of the conditions' reasons are the policy's or the listener's. */
export interface CaProblem extends Omit<Finding, 'reason'> {
  readonly cause: 'kind' | 'not-permitted' | 'object';
}

export interface ResolvedCa {
  /** `namespace/name` of the ConfigMap, where it may be referred to, whether it is there or not: it is to be read. */
  readonly configMap?: string;
  /** One of these two. */
  readonly bundle?: CaBundle;
  readonly problem?: CaProblem;
}

type Loaded =
  | { readonly bundle: CaBundle; readonly problem?: undefined }
  | ({ readonly bundle?: undefined } & Withheld);

export class CaBundles {
  readonly #loaded: Derived<Loaded>;
  readonly #references: References;

  constructor(memo: Memo, objects: Objects, references: References) {
    this.#references = references;
    this.#loaded = memo.derive((namespace, name) => load(objects, namespace!, name!));
  }

  /** What an object of `from` refers to at `field` of it. */
  resolve(from: Referrer, ref: CaCertificateRef, field: string): ResolvedCa {
    const namespace = ref.namespace ?? from.namespace;
    const { group, kind, name } = ref;
    const target = { group, kind, namespace, name };
    if (group !== '' || kind !== 'ConfigMap') {
      const found = group ? `${kind} of group ${group}` : kind;
      const message = `found a reference to a ${found}, expected a ConfigMap of the core group`;
      const fix = `refer to a ConfigMap that holds the certificates of the authority under ${KEY}`;
      return { problem: { cause: 'kind', field, message, fix, related: [target] } };
    }
    const refusal = this.#references.refusal(from, target, field);
    if (refusal) return { problem: { ...refusal, cause: 'not-permitted' } };
    const configMap = `${namespace}/${name}`;
    const { bundle, ...why } = this.#loaded.get(namespace, name);
    if (bundle) return { configMap, bundle };
    const { problem, fix } = why as Withheld;
    const message = `${named(target)} ${problem}`;
    return { configMap, problem: { cause: 'object', field, message, fix, related: [target] } };
  }
}

function load(objects: Objects, namespace: string, name: string): Loaded {
  const configMap = objects.get('ConfigMap', namespace, name);
  if (!configMap) {
    const withheld = objects.withheld('ConfigMap', namespace, name);
    if (withheld) return withheld;
    return objects.isRefused('ConfigMap', namespace, name)
      ? { problem: 'was refused for its fields', fix: 'correct the ConfigMap' }
      : {
          problem: 'does not exist',
          fix: `create it, with the certificates of the authority in PEM form under ${KEY}`,
        };
  }
  const fix = `put the certificates of the authority, in PEM form, into data of the ConfigMap under ${KEY}`;
  const text = configMap.data && Object.hasOwn(configMap.data, KEY) ? configMap.data[KEY]! : undefined;
  if (text === undefined) return { problem: `has no ${KEY}`, fix };
  if (text.length > MOST_CHARACTERS) {
    return {
      problem: `has ${text.length} characters in ${KEY}, expected at most ${MOST_CHARACTERS}`,
      fix: 'leave only the certificates that are needed',
    };
  }
  const blocks = pemBlocks(text, 'CERTIFICATE');
  if (!blocks || blocks.length === 0) {
    return { problem: `has ${blocks ? 'no' : 'a broken'} PEM certificate in ${KEY}`, fix };
  }
  if (blocks.length > MOST_CERTIFICATES) {
    return {
      problem: `has ${blocks.length} certificates in ${KEY}, expected at most ${MOST_CERTIFICATES}`,
      fix: 'leave only the certificates that are needed',
    };
  }
  const bundle = {
    type: 'ca-bundle' as const,
    key: `ca-bundle/${namespace}/${name}`,
    namespace,
    configMap: name,
    certificates: blocks.join(''),
  };
  return { bundle: { ...bundle, hash: contentHash(bundle) } };
}
