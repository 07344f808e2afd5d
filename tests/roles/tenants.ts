/** The cluster that teams share: the platform of the fixture, a route of every team, and what is behind them, as objects and as a running proxy. */
import { request } from 'node:http';
import { request as requestTls } from 'node:https';
import { synthesize } from 'gatewright';
import { refOf } from '../../gateway-runtime/api/kinds.ts';
import { type RawObject, refKey } from '../../gateway-runtime/api/object.ts';
import { Agent } from '../../gateway-runtime/proxy/agent.ts';
import { re2 } from '../../gateway-runtime/regex/re2.ts';
import type { BackendEndpoints, Snapshot } from '../../gateway-runtime/snapshot/snapshot.ts';
import type { TranslationChange } from '../../gateway-runtime/translate/translation.ts';
import { Translator } from '../../gateway-runtime/translate/translator.ts';
import { Backend } from '../support/backend.ts';
import { authority } from '../support/certificates.ts';
import { ENGINE } from '../support/engine.ts';
import { fixture } from './fixture.ts';
import { addRoutes, certificateObjects, SERVICES } from './tenant-objects.ts';

const SHARED = 'infra/shared-gw';
/** Of whatever is there before a team tries something; what it tries comes later. */
const BEFORE = '2024-01-01T00:00:00Z';
const AFTER = '2025-01-01T00:00:00Z';

function tenantObjects(ports: Readonly<Record<string, number>>): RawObject[] {
  const made = fixture();
  addRoutes(made);
  return [
    ...synthesize(made.app).objects.map(({ object }) => object),
    ...certificateObjects(),
    ...Object.entries(SERVICES).map(([name, namespace]) => ({
      apiVersion: 'discovery.k8s.io/v1',
      kind: 'EndpointSlice',
      metadata: { name: `${name}-1`, namespace, labels: { 'kubernetes.io/service-name': name } },
      addressType: 'IPv4',
      ports: [{ port: ports[name] }],
      endpoints: [{ addresses: ['127.0.0.1'] }],
    })),
  ].map((object) => created(object, BEFORE));
}

const created = (object: RawObject, creationTimestamp: string): RawObject => ({
  ...object,
  metadata: { ...(object.metadata as object), creationTimestamp },
});

/** All of it, running. What is applied goes past synth and admission, by somebody who may write everything. */
export class Tenants {
  readonly #backends: readonly Backend[];
  readonly #objects: ReadonlyMap<string, RawObject>;
  readonly #translator = new Translator({ regex: re2, classes: 'any' });
  readonly #agent = new Agent({
    gateway: { namespace: 'infra', name: 'shared-gw' },
    engine: ENGINE,
    bindPort: () => 0,
    regex: re2,
    serverName: 'proxy-1',
  });

  private constructor(backends: readonly Backend[], objects: readonly RawObject[]) {
    this.#backends = backends;
    this.#objects = new Map(objects.map((object) => [refKey(refOf(object)), object]));
  }

  static async start(): Promise<Tenants> {
    const backends = await Promise.all(Object.keys(SERVICES).map((name) => Backend.echo(name)));
    const ports = Object.fromEntries(
      Object.keys(SERVICES).map((name, index) => [name, backends[index]!.endpoint.port]),
    );
    const tenants = new Tenants(backends, tenantObjects(ports));
    await tenants.#take(tenants.#translator.apply([...tenants.#objects.values()].map((set) => ({ set }))));
    return tenants;
  }

  async close(): Promise<void> {
    await this.#agent.close();
    await Promise.all(this.#backends.map((each) => each.close()));
  }

  async apply(objects: readonly RawObject[]): Promise<void> {
    const applied = objects.map((object) => {
      // An object that is replaced is as old as it was.
      const known = this.#objects.get(refKey(refOf(object)));
      return { set: created(object, known ? BEFORE : AFTER) };
    });
    await this.#take(this.#translator.apply(applied));
  }

  async takeBack(objects: readonly RawObject[]): Promise<void> {
    const refs = new Map(objects.map((object) => [refKey(refOf(object)), refOf(object)]));
    const changes = [...refs].map(([key, ref]) => {
      const known = this.#objects.get(key);
      return known ? { set: known } : { remove: ref };
    });
    await this.#take(this.#translator.apply(changes));
  }

  /** Of the Gateway that teams share. */
  get snapshot(): Snapshot {
    return this.#translator.current.snapshots.get(SHARED)!;
  }

  get endpoints(): ReadonlyMap<string, BackendEndpoints> {
    return this.#translator.current.endpoints;
  }

  /** All that is said of an object: by its conditions, and to who reads it. */
  saidOf(object: RawObject): string {
    const key = refKey(refOf(object));
    const { statuses, diagnostics } = this.#translator.current;
    const status = statuses.get(key);
    const all =
      status === undefined
        ? []
        : 'parents' in status
          ? status.parents.flatMap(({ conditions }) => conditions)
          : 'ancestors' in status
            ? status.ancestors.flatMap(({ conditions }) => conditions)
            : [
                ...status.conditions,
                ...('listeners' in status ? status.listeners.flatMap(({ conditions }) => conditions) : []),
              ];
    const told = diagnostics.filter((each) => refKey(each.object) === key).map(({ message }) => message);
    return [
      ...all.map(({ type, status: is, reason, message }) => `${type}=${is} ${reason}: ${message}`),
      ...told,
    ].join('\n');
  }

  /** Who answers a request, and with what: the status, and the body, which names the Service. */
  answer(url: string): Promise<string> {
    const { protocol, hostname, pathname } = new URL(url);
    const port = this.#agent.boundPort(protocol === 'https:' ? 443 : 80)!;
    const options = {
      host: '127.0.0.1',
      port,
      path: pathname,
      agent: false as const,
      headers: { host: hostname },
      ...(protocol === 'https:' ? { servername: hostname, ca: authority } : {}),
    };
    return new Promise((resolve, reject) => {
      const sent = protocol === 'https:' ? requestTls(options) : request(options);
      sent.on('error', (error: NodeJS.ErrnoException) => resolve(`error ${error.code ?? error.message}`));
      sent.on('response', (message) => {
        let body = '';
        message.setEncoding('utf8');
        message.on('data', (chunk: string) => {
          body += chunk;
        });
        message.on('end', () => resolve(`${message.statusCode} ${body}`));
        message.on('error', reject);
      });
      sent.end();
    });
  }

  async answers(urls: readonly string[]): Promise<Record<string, string>> {
    return Object.fromEntries(await Promise.all(urls.map(async (url) => [url, await this.answer(url)])));
  }

  async #take({ deltas, endpoints, certificates }: TranslationChange): Promise<void> {
    const delta = deltas.find(({ gateway }) => `${gateway.namespace}/${gateway.name}` === SHARED);
    const { accepted, diagnostics } = await this.#agent.apply({
      ...(delta ? { delta } : {}),
      endpoints,
      certificates,
    });
    if (!accepted) throw new Error(JSON.stringify(diagnostics));
  }
}
