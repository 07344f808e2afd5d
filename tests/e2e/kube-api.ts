/**
 * The API server, through `kubectl proxy`: whatever a kubeconfig says of certificates, tokens and plugins, kubectl knows.
 * The proxy listens on a socket in a folder of our own, so that no other user of the machine gets at it.
 */
import { type ChildProcess, spawn } from 'node:child_process';
import { mkdtempSync, rmSync } from 'node:fs';
import { request } from 'node:http';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { groupOf, type RawObject } from '../../gateway-runtime/api/object.ts';

export interface Answer {
  readonly status: number;
  readonly body: string;
}

/** Whose credentials: the administrator impersonates. */
export interface Person {
  readonly user: string;
  readonly groups: readonly string[];
}

interface Metadata {
  readonly name: string;
  readonly namespace?: string;
}

/** The path of its group and version. */
function rootOf({ apiVersion }: RawObject): string {
  const version = String(apiVersion);
  return groupOf(version) ? `/apis/${version}` : `/api/${version}`;
}

interface Kind {
  /** As it stands in a path. */
  readonly plural: string;
  readonly namespaced: boolean;
}

const metadataOf = (object: RawObject) => object.metadata as Metadata;

export class KubeApi {
  readonly #proxy: ChildProcess;
  readonly #folder: string;
  /** By the path of the group and version, then by name. */
  readonly #kinds = new Map<string, Promise<ReadonlyMap<string, Kind>>>();

  private constructor(proxy: ChildProcess, folder: string) {
    this.#proxy = proxy;
    this.#folder = folder;
  }

  static async connect(): Promise<KubeApi> {
    const folder = mkdtempSync(join(tmpdir(), 'gatewright-e2e-'));
    const proxy = spawn('kubectl', ['proxy', `--unix-socket=${join(folder, 'api')}`], {
      stdio: ['ignore', 'pipe', 'inherit'],
    });
    await new Promise<void>((resolve, reject) => {
      proxy.once('error', reject);
      proxy.once('exit', (status) => reject(new Error(`kubectl proxy ended with ${status}`)));
      // It says where it serves once it does.
      proxy.stdout!.once('data', () => resolve());
    });
    return new KubeApi(proxy, folder);
  }

  close(): void {
    this.#proxy.kill();
    rmSync(this.#folder, { recursive: true, force: true });
  }

  /** As the administrator, or as another person. */
  call(
    method: string,
    path: string,
    body?: unknown,
    contentType = 'application/json',
    as?: Person,
  ): Promise<Answer> {
    const { promise, resolve, reject } = Promise.withResolvers<Answer>();
    const call = request(
      {
        socketPath: join(this.#folder, 'api'),
        host: 'localhost',
        method,
        path,
        headers: {
          ...(body === undefined ? {} : { 'content-type': contentType }),
          ...(as ? { 'impersonate-user': as.user, 'impersonate-group': [...as.groups] } : {}),
        },
      },
      (answer) => {
        let text = '';
        answer.setEncoding('utf8').on('data', (part: string) => {
          text += part;
        });
        answer.on('error', reject);
        answer.on('end', () => resolve({ status: answer.statusCode!, body: text }));
      },
    );
    call.on('error', reject);
    call.end(body === undefined ? undefined : JSON.stringify(body));
    return promise;
  }

  /** The answer's object; an error where it is not a success. */
  async get<T>(path: string): Promise<T> {
    const { status, body } = await this.call('GET', path);
    if (status >= 300) throw new Error(`GET ${path} was answered ${status}: ${body}`);
    return JSON.parse(body) as T;
  }

  /** Whether the API server has the object's kind, in its version. */
  async knows(object: RawObject): Promise<boolean> {
    return (await this.#kindOf(object)) !== undefined;
  }

  /** Where an object is, or where it would be. */
  async pathOf(object: RawObject): Promise<string> {
    const kind = await this.#kindOf(object);
    if (!kind) throw new Error(`The API server has no ${object.apiVersion} ${object.kind}`);
    const { name, namespace = 'default' } = metadataOf(object);
    return `${rootOf(object)}${kind.namespaced ? `/namespaces/${namespace}` : ''}/${kind.plural}/${name}`;
  }

  async #kindOf(object: RawObject): Promise<Kind | undefined> {
    const root = rootOf(object);
    const known = (await this.#kinds.get(root))?.get(String(object.kind));
    if (known) return known;
    // Its definition may have come since.
    const kinds = this.#discover(root);
    this.#kinds.set(root, kinds);
    return (await kinds).get(String(object.kind));
  }

  async #discover(root: string): Promise<ReadonlyMap<string, Kind>> {
    const { status, body } = await this.call('GET', root);
    if (status === 404) return new Map();
    const { resources } = JSON.parse(body) as {
      resources: { name: string; kind: string; namespaced: boolean }[];
    };
    return new Map(
      resources
        // Others are parts of an object, such as its status.
        .filter(({ name }) => !name.includes('/'))
        .map(({ name, kind, namespaced }) => [kind, { plural: name, namespaced }]),
    );
  }

  /** Server-side apply, which refuses unknown fields. With `dryRun` everything is checked and nothing is kept. */
  async apply(object: RawObject, options: { dryRun?: boolean; as?: Person } = {}): Promise<Answer> {
    const parameters = new URLSearchParams({ fieldManager: 'gatewright-e2e', force: 'true' });
    if (options.dryRun) parameters.set('dryRun', 'All');
    const path = `${await this.pathOf(object)}?${parameters}`;
    return this.call('PATCH', path, object, 'application/apply-patch+yaml', options.as);
  }

  /** Applies objects that have to be accepted. */
  async applyAll(objects: readonly RawObject[]): Promise<void> {
    for (const object of objects) {
      const { status, body } = await this.apply(object);
      if (status >= 300) throw new Error(`${object.kind} ${metadataOf(object).name}: ${status} ${body}`);
    }
  }

  async remove(object: RawObject): Promise<void> {
    const path = await this.pathOf(object);
    const { status, body } = await this.call('DELETE', path);
    if (status >= 300 && status !== 404) throw new Error(`DELETE ${path} was answered ${status}: ${body}`);
  }
}
