/** Requests to an API server as somebody else: as its administrator, who may impersonate. */
import { Agent, request } from 'node:https';
import { groupOf, type RawObject } from '../../../gateway-runtime/api/object.ts';
import type { Connection } from '../../../gateway-runtime/control/cluster/connection.ts';

export interface Answer {
  readonly status: number;
  /** Of a refusal. */
  readonly message: string;
  readonly body: Record<string, unknown>;
}

/** Whose credentials; undefined for the administrator. */
export type Person = { readonly user: string; readonly groups: readonly string[] } | undefined;

interface Resource {
  readonly name: string;
  readonly kind: string;
  readonly namespaced: boolean;
}

interface Metadata {
  readonly name: string;
  readonly namespace?: string;
}

export class People {
  readonly #connection: Connection;
  readonly #agent: Agent;
  /** By API version. */
  readonly #resources = new Map<string, Promise<readonly Resource[]>>();

  constructor(connection: Connection) {
    this.#connection = connection;
    const { ca, certificate, key } = connection;
    this.#agent = new Agent({ ca, cert: certificate, key, keepAlive: true, maxSockets: 8 });
  }

  close(): void {
    this.#agent.destroy();
  }

  call(
    person: Person,
    method: string,
    path: string,
    { body, contentType = 'application/json' }: { body?: unknown; contentType?: string } = {},
  ): Promise<Answer> {
    const { promise, resolve, reject } = Promise.withResolvers<Answer>();
    const call = request(
      new URL(path, this.#connection.server),
      {
        agent: this.#agent,
        method,
        headers: {
          ...(body === undefined ? {} : { 'content-type': contentType }),
          ...(person ? { 'impersonate-user': person.user, 'impersonate-group': [...person.groups] } : {}),
        },
      },
      (answer) => {
        let text = '';
        answer.setEncoding('utf8').on('data', (part: string) => {
          text += part;
        });
        answer.on('error', reject);
        answer.on('end', () => {
          // What is refused before anything is read is refused in plain text.
          const parsed = (text.startsWith('{') ? JSON.parse(text) : { message: text }) as Answer['body'];
          resolve({ status: answer.statusCode!, message: String(parsed.message ?? ''), body: parsed });
        });
      },
    );
    call.on('error', reject);
    call.end(body === undefined ? undefined : JSON.stringify(body));
    return promise;
  }

  /** Server-side apply. With `dryRun` everything is checked and nothing is kept. */
  async apply(person: Person, object: RawObject, { dryRun = false } = {}): Promise<Answer> {
    const parameters = new URLSearchParams({ fieldManager: 'test', force: 'true' });
    if (dryRun) parameters.set('dryRun', 'All');
    return this.call(person, 'PATCH', `${await this.pathOf(object)}?${parameters}`, {
      body: object,
      contentType: 'application/apply-patch+yaml',
    });
  }

  /** Applies objects that have to be taken. */
  async put(...objects: readonly RawObject[]): Promise<void> {
    for (const object of objects) {
      const { status, message } = await this.apply(undefined, object);
      if (status >= 300) throw new Error(`${object.kind} ${metadataOf(object).name}: ${status} ${message}`);
    }
  }

  async remove(object: RawObject): Promise<void> {
    const { status, message } = await this.call(undefined, 'DELETE', await this.pathOf(object));
    if (status >= 300 && status !== 404) throw new Error(`${object.kind}: ${status} ${message}`);
  }

  async pathOf(object: RawObject): Promise<string> {
    const version = String(object.apiVersion);
    const root = groupOf(version) ? `/apis/${version}` : `/api/${version}`;
    const resource = await this.#resourceOf(root, String(object.kind));
    const { name, namespace = 'default' } = metadataOf(object);
    return `${root}${resource.namespaced ? `/namespaces/${namespace}` : ''}/${resource.name}/${name}`;
  }

  async #resourceOf(root: string, kind: string): Promise<Resource> {
    const find = (all: readonly Resource[]) =>
      all.find((each) => each.kind === kind && !each.name.includes('/'));
    const known = find((await this.#resources.get(root)) ?? []);
    if (known) return known;
    // Its definition may have come since.
    const all = this.call(undefined, 'GET', root).then(
      ({ body }) => (body as { resources?: readonly Resource[] }).resources ?? [],
    );
    this.#resources.set(root, all);
    const found = find(await all);
    if (!found) throw new Error(`The API server has no ${kind} in ${root}`);
    return found;
  }
}

const metadataOf = ({ metadata }: RawObject) => metadata as Metadata;
