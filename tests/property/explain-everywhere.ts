/**
 * A request, explained by the command line, by the admin server and by the library, and sent through a proxy: four answers, of which all
 * must be one. Gateways and routes are read as users write them.
 */
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { Agent as HttpAgent } from 'node:http';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { isDeepStrictEqual } from 'node:util';
import fc from 'fast-check';
import { answerTo } from '../../cli/explain.ts';
import { type ReadOnce, readOnce } from '../../cli/read-once.ts';
import { refusedAmong } from '../../cli/show/refused-routes.ts';
import { CommandError } from '../../cli/terminal.ts';
import { explainRequest } from '../../gateway-runtime/admin/explain-request.ts';
import { explain } from '../../gateway-runtime/explain/explain.ts';
import type { Explained, Explanation } from '../../gateway-runtime/explain/explanation.ts';
import { type AskedRequest, parseRequest } from '../../gateway-runtime/explain/request.ts';
import { explainedText } from '../../gateway-runtime/explain/text.ts';
import { Agent } from '../../gateway-runtime/proxy/agent.ts';
import { re2 } from '../../gateway-runtime/regex/re2.ts';
import { difference } from '../../gateway-runtime/snapshot/difference.ts';
import type { Snapshot } from '../../gateway-runtime/snapshot/snapshot.ts';
import { Backend } from '../support/backend.ts';
import { issue } from '../support/certificates.ts';
import { exchange } from '../support/client.ts';
import {
  asCaseFile,
  type GatewayCase,
  gatewayCase,
  objectsOfCase,
  type RequestCase,
  requestCase,
} from './generators-match.ts';
import { regex } from './regex-once.ts';

const GATEWAY = { namespace: 'infra', name: 'edge' };
const GATEWAY_API = 'gateway.networking.k8s.io/v1';

const { certificate, privateKey } = issue('infra/edge', ['*.a.com']);
const SECRET = {
  apiVersion: 'v1',
  kind: 'Secret',
  metadata: { name: 'edge', namespace: 'infra' },
  type: 'kubernetes.io/tls',
  data: { 'tls.crt': btoa(certificate), 'tls.key': btoa(privateKey) },
};

/** Answers say which rule they are of. */
const ofRule = (route: string, index: number) => ({
  filters: [
    {
      type: 'ResponseHeaderModifier',
      responseHeaderModifier: { set: [{ name: 'x-rule', value: `${route}#${index}` }] },
    },
  ],
});

export interface Asked {
  /** What it was, a rule as `a/r#0`, a status, or `unconnected`; undefined where the Gateway has no such port. */
  readonly said: string | undefined;
  readonly isSent: boolean;
}

/**
 * Asks random Gateways about random requests. Rejects where two answers differ, with the case.
 * @param gateways how many, and `requests` of each
 * @param sent one of so many requests goes through the proxy, too
 */
export async function askRandomly(
  { gateways, requests, sent, seed }: { gateways: number; requests: number; sent: number; seed?: number },
  onAnswer: (answer: Asked) => void,
): Promise<void> {
  const everywhere = await Everywhere.create();
  try {
    await fc.assert(
      fc.asyncProperty(
        gatewayCase,
        fc.array(requestCase, { minLength: requests, maxLength: requests }),
        async (gateway, all) => {
          await everywhere.serve(gateway);
          for (const [index, request] of all.entries()) {
            onAnswer(await everywhere.ask(request, index % sent === 0));
          }
        },
      ),
      { numRuns: gateways, ...(seed === undefined ? {} : { seed }) },
    );
  } finally {
    await everywhere.close();
  }
}

class Everywhere {
  readonly #file = join(mkdtempSync(join(tmpdir(), 'gatewright-explain-')), 'all.json');
  readonly #backend: Backend;
  readonly #agent: Agent;
  #client = new HttpAgent({ keepAlive: true });
  #read: ReadOnce | undefined;
  #gateway: GatewayCase | undefined;
  #snapshot: Snapshot | undefined;

  static async create(): Promise<Everywhere> {
    return new Everywhere(await Backend.http((_, response) => response.end()));
  }

  private constructor(backend: Backend) {
    this.#backend = backend;
    this.#agent = new Agent({
      gateway: GATEWAY,
      bindPort: () => 0,
      regex: re2,
      fallbackEndpoints: () => [backend.endpoint],
    });
  }

  async close(): Promise<void> {
    this.#client.destroy();
    await this.#agent.close();
    await this.#backend.close();
    rmSync(join(this.#file, '..'), { recursive: true });
  }

  /** From now on this is asked. */
  async serve(gateway: GatewayCase): Promise<void> {
    const items = objectsOfCase(gateway, ofRule).map((each) => ({ apiVersion: GATEWAY_API, ...each }));
    writeFileSync(this.#file, JSON.stringify({ apiVersion: 'v1', kind: 'List', items: [SECRET, ...items] }));
    const options = { classes: undefined, strict: false, assumesServices: true, appTimeout: 1, tells: false };
    this.#read = await readOnce([this.#file], options);
    const { snapshots, certificates } = this.#read.translation;
    this.#gateway = gateway;
    this.#snapshot = snapshots.get('infra/edge')!;
    this.#client.destroy();
    this.#client = new HttpAgent({ keepAlive: true });
    await this.#agent.apply({ delta: difference(this.#agent.snapshot, this.#snapshot), certificates });
  }

  /** Throws where two answers differ. */
  async ask(request: RequestCase, sends: boolean): Promise<Asked> {
    const { port, method, path, query, headers } = request;
    // A client that names another server in its handshake than in Host; one that names none can't be written as a URL.
    const serverName = port === 443 && request.serverName ? request.serverName : request.host;
    const url = `${port === 443 ? 'https' : 'http'}://${serverName}${path}${query ? `?${query}` : ''}`;
    const given = serverName === request.host ? headers : { ...headers, host: request.host };
    const lines = Object.entries(given).map(([name, value]) => `${name}: ${value}`);
    const asked = parseRequest(`${method} ${url}`, lines) as AskedRequest;

    const ofCommandLine = await answerTo(this.#read!, asked, undefined).catch((error: unknown) => {
      if (error instanceof CommandError && error.message.includes('has port')) return undefined;
      throw error;
    });
    const ofAdmin = explainRequest(
      new URLSearchParams([
        ['method', method],
        ['url', url],
        ...lines.map((each): [string, string] => ['header', each]),
      ]),
      [this.#agent],
      regex,
      { refused: (host) => refusedAmong(this.#read!, host) },
    );
    if (!ofCommandLine) {
      if ('message' in ofAdmin && ofAdmin.message.startsWith('no Gateway has a listener')) {
        return { said: undefined, isSent: false };
      }
      throw this.#differ(request, 'the command line has no such port, the admin server has', ofAdmin);
    }
    if (!isDeepStrictEqual(JSON.parse(JSON.stringify(ofAdmin)), JSON.parse(JSON.stringify(ofCommandLine)))) {
      throw this.#differ(
        request,
        'the admin server says something else than the command line',
        ofCommandLine,
      );
    }
    const { others: _, refused: __, ...answer } = ofCommandLine;
    const ofLibrary = explain(this.#snapshot!, asked, asked.request, regex);
    if (!isDeepStrictEqual(ofLibrary, answer as Explanation)) {
      throw this.#differ(request, 'the library says something else than the command line', ofCommandLine);
    }
    const said = saidBy(answer);
    // Node's client writes methods in upper case.
    const isSent = sends && port === 80 && method === method.toUpperCase();
    if (isSent) {
      const sent = await this.#send(request);
      if (sent !== said)
        throw this.#differ(request, `the proxy answered ${sent}, explain said ${said}`, ofCommandLine);
    }
    return { said, isSent };
  }

  async #send({ port, host, method, path, query, headers }: RequestCase): Promise<string> {
    const target = `${path}${query ? `?${query}` : ''}`;
    const to = this.#agent.boundPort(port)!;
    const answer = await exchange(to, { host, path: target, method, headers, agent: this.#client });
    return String(answer.headers['x-rule'] ?? answer.status);
  }

  #differ(request: RequestCase, what: string, answer: unknown): Error {
    const shown =
      typeof answer === 'object' && answer !== null && 'others' in answer
        ? explainedText(answer as Explained, () => '')
        : JSON.stringify(answer);
    return new Error(`${what}\n${shown}\n\n${asCaseFile(this.#gateway!, request, undefined)}`);
  }
}

function saidBy({ matches, status }: Explanation): string {
  const serving = matches.find(({ outcome }) => outcome === 'serves');
  if (status !== undefined) return String(status);
  return serving ? `${serving.namespace}/${serving.name}#${serving.rule}` : 'unconnected';
}
