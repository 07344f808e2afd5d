/**
 * Certificates for HTTPS listeners whose Secret lives only in the cluster: made at start, so that HTTPS is served on a
 * laptop as it will be there. The root's key never leaves this process; its certificate is a file for `curl --cacert`. Where a Gateway
 * asks clients for certificates of an authority that lives only in the cluster, this root stands in its place, and a client has a
 * certificate in a file for `curl --cert`.
 */
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { hostname as machineName, tmpdir } from 'node:os';
import { join } from 'node:path';
import { type ObjectRef, type RawObject, refKey } from '../api/object.ts';
import { isRouteKind } from '../api/route-kinds.ts';
import type { SourcedObject } from './source.ts';
import { type Issued, type Issuer, issueCertificate, issueServerCertificate, makeRoot } from './x509.ts';

const ORIGIN = 'made by gatewright for this machine';
const DAYS = 30;
/** More names than any listener has; a certificate must stay a readable size. */
const MOST_NAMES = 200;
const LOCAL_NAMES = ['localhost', '127.0.0.1', '::1'];

/** As they are written, in objects that passed the rules of their kind: without defaults. */
interface WrittenSpec {
  readonly listeners?: readonly WrittenListener[];
  readonly hostnames?: readonly string[];
  readonly tls?: { readonly frontend?: WrittenFrontend };
}
interface WrittenTls {
  readonly validation?: {
    readonly caCertificateRefs: readonly {
      readonly group: string;
      readonly kind: string;
      readonly name: string;
      readonly namespace?: string;
    }[];
  };
}
interface WrittenFrontend {
  readonly default: WrittenTls;
  readonly perPort?: readonly { readonly tls: WrittenTls }[];
}
interface WrittenListener {
  readonly name: string;
  readonly protocol: string;
  readonly hostname?: string;
  readonly tls?: {
    readonly mode?: string;
    readonly certificateRefs?: readonly {
      readonly group?: string;
      readonly kind?: string;
      readonly name: string;
      readonly namespace?: string;
    }[];
  };
}

/** A Secret that a listener names and no source defines. */
export interface MissingSecret {
  readonly ref: ObjectRef;
  /** `Gateway/infra/shared-gw listener secure` */
  readonly neededBy: readonly string[];
  /** The names that its certificate must have. */
  readonly hostnames: readonly string[];
}

/** The Secrets that listeners with TLS name and that are not among the objects, in stable order. */
export function missingSecrets(objects: Iterable<SourcedObject>): MissingSecret[] {
  const present = new Set<string>();
  const listenersOf: { ref: ObjectRef; listeners: readonly WrittenListener[] }[] = [];
  const routeHostnames = new Set<string>();
  for (const { ref, raw } of objects) {
    if (ref.kind === 'Secret') present.add(refKey(ref));
    if (ref.kind !== 'Gateway' && ref.kind !== 'ListenerSet' && !isRouteKind(ref.kind)) continue;
    const { listeners, hostnames } = raw.spec as WrittenSpec;
    for (const hostname of hostnames ?? []) routeHostnames.add(hostname);
    if (listeners) listenersOf.push({ ref, listeners });
  }
  const missing = new Map<string, { ref: ObjectRef; neededBy: string[]; hostnames: Set<string> }>();
  for (const { ref, listeners } of listenersOf) {
    for (const listener of listeners) {
      for (const secret of secretsOf(listener, ref.namespace)) {
        const key = refKey(secret);
        if (present.has(key)) continue;
        const entry = missing.get(key) ?? { ref: secret, neededBy: [], hostnames: new Set<string>() };
        missing.set(key, entry);
        entry.neededBy.push(`${refKey(ref)} listener ${listener.name}`);
        // A listener for every hostname is served for those that routes name.
        for (const name of listener.hostname ? [listener.hostname] : routeHostnames)
          entry.hostnames.add(name);
      }
    }
  }
  return [...missing.entries()]
    .sort(([a], [b]) => (a < b ? -1 : 1))
    .map(([, { ref, neededBy, hostnames }]) => ({ ref, neededBy, hostnames: [...hostnames].sort() }));
}

function secretsOf({ protocol, tls }: WrittenListener, ownNamespace: string): ObjectRef[] {
  if (protocol !== 'HTTPS' && (protocol !== 'TLS' || tls?.mode === 'Passthrough')) return [];
  return (tls?.certificateRefs ?? [])
    .filter(({ group = '', kind = 'Secret' }) => group === '' && kind === 'Secret')
    .map(({ name, namespace }) => ({
      group: '',
      kind: 'Secret',
      namespace: namespace ?? ownNamespace,
      name,
    }));
}

/** The ConfigMaps with authorities that Gateways name and that are not among the objects, in stable order. */
export function missingAuthorities(objects: Iterable<SourcedObject>): ObjectRef[] {
  const present = new Set<string>();
  const named = new Map<string, ObjectRef>();
  for (const { ref, raw } of objects) {
    if (ref.kind === 'ConfigMap') present.add(refKey(ref));
    if (ref.kind !== 'Gateway') continue;
    const frontend = (raw.spec as WrittenSpec).tls?.frontend;
    if (!frontend) continue;
    for (const { validation } of [frontend.default, ...(frontend.perPort ?? []).map(({ tls }) => tls)]) {
      for (const { group, kind, name, namespace = ref.namespace } of validation?.caCertificateRefs ?? []) {
        const configMap = { group, kind, namespace, name };
        if (group === '' && kind === 'ConfigMap') named.set(refKey(configMap), configMap);
      }
    }
  }
  return [...named]
    .filter(([key]) => !present.has(key))
    .sort(([a], [b]) => (a < b ? -1 : 1))
    .map(([, ref]) => ref);
}

/** Files for clients. */
export interface MadeHere {
  /** The root's certificate, PEM. */
  readonly caFile: string;
  /** A client's certificate and its key, PEM, where clients are asked for one by the root. */
  readonly clientFile?: string;
}

export class LocalCertificates {
  readonly #folder: string;
  readonly #root: Issuer & Issued;
  readonly #made = new Map<string, SourcedObject>();
  readonly #caFile: string;
  #clientFile: string | undefined;

  private constructor(folder: string, root: Issuer & Issued, caFile: string) {
    this.#folder = folder;
    this.#root = root;
    this.#caFile = caFile;
  }

  get made(): MadeHere {
    return { caFile: this.#caFile, ...(this.#clientFile ? { clientFile: this.#clientFile } : {}) };
  }

  /** Makes the root and writes its certificate into a new folder that only this user can read. */
  static async create(): Promise<LocalCertificates> {
    const root = makeRoot(`Gatewright local root on ${machineName()}`.slice(0, 64), DAYS);
    const folder = await mkdtemp(join(tmpdir(), 'gatewright-'));
    const caFile = join(folder, 'ca.pem');
    await writeFile(caFile, root.certificate, { mode: 0o600 });
    return new LocalCertificates(folder, root, caFile);
  }

  /** A TLS Secret for each; the same one as before where the hostnames are the same. */
  secretsFor(missing: readonly MissingSecret[]): SourcedObject[] {
    return missing.map(({ ref, hostnames }) => {
      const names = [...hostnames.slice(0, MOST_NAMES), ...LOCAL_NAMES];
      const key = JSON.stringify([ref.namespace, ref.name, names]);
      const made = this.#made.get(key) ?? { ref, raw: this.#secret(ref, names), origin: ORIGIN };
      this.#made.set(key, made);
      return made;
    });
  }

  /** A ConfigMap with the root for each. */
  async authoritiesFor(missing: readonly ObjectRef[]): Promise<SourcedObject[]> {
    if (missing.length > 0) this.#clientFile ??= await this.#writeClient();
    return missing.map((ref) => ({
      ref,
      raw: {
        apiVersion: 'v1',
        kind: 'ConfigMap',
        metadata: { name: ref.name, namespace: ref.namespace },
        data: { 'ca.crt': this.#root.certificate },
      },
      origin: ORIGIN,
    }));
  }

  async #writeClient(): Promise<string> {
    const subject = `Client on ${machineName()}`.slice(0, 64);
    const { certificate, key } = issueCertificate(
      this.#root,
      subject,
      { purpose: 'client', names: [] },
      DAYS,
    );
    const file = join(this.#folder, 'client.pem');
    await writeFile(file, certificate + key.export({ type: 'pkcs8', format: 'pem' }), { mode: 0o600 });
    return file;
  }

  async remove(): Promise<void> {
    await rm(this.#folder, { recursive: true, force: true });
  }

  #secret(ref: ObjectRef, names: readonly string[]): RawObject {
    const { certificate, key } = issueServerCertificate(this.#root, names, DAYS);
    const base64 = (text: string) => Buffer.from(text).toString('base64');
    return {
      apiVersion: 'v1',
      kind: 'Secret',
      metadata: { name: ref.name, namespace: ref.namespace },
      type: 'kubernetes.io/tls',
      data: {
        'tls.crt': base64(certificate),
        'tls.key': base64(key.export({ type: 'pkcs8', format: 'pem' }) as string),
      },
    };
  }
}
