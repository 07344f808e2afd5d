/** The last layer: the real proxy on real sockets, fed step by step as `serve` feeds it, with real echo servers behind. */
import type { RawObject } from '../../gateway-runtime/api/object.ts';
import { EchoBackends } from '../../gateway-runtime/echo/echo.ts';
import { Agent } from '../../gateway-runtime/proxy/agent.ts';
import { re2 } from '../../gateway-runtime/regex/re2.ts';
import {
  type Backend,
  type BackendEndpoints,
  type BackendKey,
  type Endpoint,
  gatewayKey,
  isRule as isRuleResource,
  type RouteRule,
} from '../../gateway-runtime/snapshot/snapshot.ts';
import type { Translation, TranslationChange } from '../../gateway-runtime/translate/translation.ts';
import { ENGINE } from '../support/engine.ts';
import { AccessLog, type LogEntry } from './access-log.ts';
import { address } from './addressed.ts';
import {
  apart,
  checkArrival,
  checkReply,
  checkSeenByOthers,
  checkWhoami,
  expectedStatus,
  reachedBy,
} from './answer.ts';
import { Carried } from './carried.ts';
import type { Answer, CaseForm, CaseRequest } from './case.ts';
import { backendCertificate, clientCertificate } from './certificates.ts';
import { Client, type Outgoing, type Refusal, type Reply, sendRaw, type Target } from './client.ts';
import type { EchoServers } from './echo-servers.ts';
import { Http2Client, notOverHttp2 } from './http2-client.ts';
import type { Step } from './load.ts';
import { backendName, isRule, ruleLabel } from './match-layer.ts';
import { type Mismatch, mismatch, unequal } from './mismatch.ts';

/** Requests by which shares are measured, and how far off each may be: draws are spread evenly, so it is little. */
const DRAWS = 100;
const TOLERANCE = 0.03;
const GOLDEN_RATIO = (Math.sqrt(5) - 1) / 2;

export class Live {
  readonly #form: CaseForm;
  readonly #echo: EchoServers;
  readonly #whoami = new EchoBackends();
  readonly #agents = new Map<string, Agent>();
  readonly #client = new Client();
  readonly #http2: Http2Client | undefined;
  readonly #log = new AccessLog();
  /** What answers said that clients come back with. */
  readonly #carried = new Carried();
  #draw = 0;

  /** @param protocol what the client speaks; with HTTP/2 still HTTP/1.1 where `notOverHttp2` says why */
  constructor(form: CaseForm, echo: EchoServers, protocol: 'HTTP/1.1' | 'HTTP/2' = 'HTTP/1.1') {
    this.#http2 = protocol === 'HTTP/2' ? new Http2Client() : undefined;
    this.#form = form;
    this.#echo = echo;
    echo.clear();
  }

  /** Brings the proxy to a step. Gives what it could not take. */
  async enter(step: Step, change: TranslationChange, translation: Translation): Promise<Mismatch[]> {
    for (const key of change.removedGateways) {
      await this.#agents.get(key)?.close();
      this.#agents.delete(key);
    }
    const found: Mismatch[] = [];
    for (const [key, snapshot] of translation.snapshots) {
      const known = this.#agents.get(key);
      const agent = known ?? this.#open(snapshot.gateway);
      const delta = change.deltas.find((each) => gatewayKey(each.gateway) === key);
      const backends = snapshot.resources.filter(
        (resource): resource is Backend => resource.type === 'backend',
      );
      const endpoints = await this.#endpoints(step, backends, translation);
      const { accepted, version, diagnostics } = await agent.apply({
        ...(delta ? { delta } : {}),
        endpoints,
        // A Gateway that is new gets the certificates that were there before, too.
        certificates: known ? change.certificates : translation.certificates,
      });
      if (!accepted || version !== snapshot.version) {
        found.push(mismatch(`snapshot of ${key}`, 'accepted', diagnostics));
      }
    }
    return found;
  }

  async ask(step: Step, request: CaseRequest): Promise<Mismatch[]> {
    return request.shares ? this.#measure(step, request, request.shares) : this.#answer(step, request);
  }

  async close(): Promise<void> {
    this.#client.close();
    this.#http2?.close();
    await Promise.all([...this.#agents.values()].map((agent) => agent.close()));
    await this.#whoami.close();
  }

  #open(gateway: { namespace: string; name: string }): Agent {
    const { trustedHops = [], serverName = 'gateway.test', publicPorts = {} } = this.#form.agent ?? {};
    const agent = new Agent({
      engine: ENGINE,
      gateway,
      bindPort: () => 0,
      publicPort: (port) => Number(publicPorts[port] ?? port),
      regex: re2,
      trustedHops,
      serverName,
      accessLog: (line) => this.#log.take(line),
      random: () => (this.#draw = (this.#draw + GOLDEN_RATIO) % 1),
    });
    this.#agents.set(gatewayKey(gateway), agent);
    return agent;
  }

  /** An echo server for every endpoint of a Service that has slices in the case, and one for every other Service. */
  async #endpoints(step: Step, backends: readonly Backend[], { endpoints }: Translation) {
    const found = new Map<BackendKey, BackendEndpoints>();
    for (const { key, namespace, service, port, appProtocol } of backends) {
      if (this.#form.backends === 'whoami') {
        const endpoint = await this.#whoami.start({ namespace, service, port });
        found.set(key, { backend: key, endpoints: [endpoint] });
        continue;
      }
      const given = hasSlices(step.objects, namespace, service)
        ? (endpoints.get(key)?.endpoints ?? [])
        : [undefined];
      const seated: Endpoint[] = [];
      for (const each of given) {
        const name = each ? `${each.address}:${each.port}` : '';
        const isHttp2 = appProtocol === 'kubernetes.io/h2c';
        const seat = { backend: backendName(key), endpoint: name, isHttp2 };
        const own = this.#form.backendsWithTls?.get(seat.backend);
        const certificate = own && backendCertificate(own.authority, own.names);
        seated.push({ ...each, address: '127.0.0.1', port: await this.#echo.seat(seat, certificate) });
      }
      found.set(key, { backend: key, endpoints: seated });
    }
    return found;
  }

  async #send(step: Step, request: CaseRequest): Promise<Reply | Refusal> {
    this.#echo.expect(request.echo ?? {}, request.authorizes);
    this.#log.clear();
    const { gateway, port, tls, serverName, hostHeader, target: path } = address(step, request);
    const bound = this.#agents.get(gateway)?.boundPort(port);
    if (bound === undefined) return { refused: `port ${port} of Gateway ${gateway} is not bound` };
    const { raw, body = '', headers, clientCertificate: authority } = request;
    const shown = authority === undefined ? {} : { certificate: clientCertificate(authority) };
    const resources = this.#agents.get(gateway)?.snapshot?.resources ?? [];
    const once = resources.some(
      (each) => each.type === 'listener' && each.port === port && each.protocol === 'TLS',
    );
    const target: Target = { port: bound, tls, serverName, once, ...shown };
    if (raw !== undefined) {
      const bytes = raw.includes('\r') ? raw : raw.replaceAll('\n', '\r\n');
      return sendRaw(target, bytes, request.answer?.closes ?? false);
    }
    const fields = [...(headers ?? [])].flatMap(([name, values]) => values.flatMap((value) => [name, value]));
    fields.push(...this.#carried.fields(request.carries ?? []));
    const outgoing: Outgoing = {
      method: request.request.method,
      path,
      headers: ['Host', hostHeader, ...fields],
      body,
    };
    const reply = await (this.#http2For(request)?.send(bound, outgoing) ??
      this.#client.send(target, outgoing));
    if ('rawHeaders' in reply) this.#carried.take(reply.rawHeaders);
    return reply;
  }

  #http2For(request: CaseRequest): Http2Client | undefined {
    return notOverHttp2(request) === undefined ? this.#http2 : undefined;
  }

  async #answer(step: Step, request: CaseRequest): Promise<Mismatch[]> {
    const expected = request.answer!;
    const reply = await this.#send(step, request);
    if ('refused' in reply) {
      return expected.refused ? [] : [mismatch('answer', expected, `none: ${reply.refused}`)];
    }
    if (expected.refused) return [mismatch('answer', 'none', reply)];
    const byWhoami = this.#form.backends === 'whoami';
    const others = (expected.mirrored?.size ?? 0) + (expected.asked?.size ?? 0);
    // What whoami saw stands in its answer: nothing arrives here.
    if (!byWhoami) await this.#echo.until(others + (expected.backend === undefined ? 0 : 1));
    const { arrivals, mirrored, asked } = apart(this.#echo.arrivals, expected);
    return [
      ...unequal('status', expectedStatus(request, expected), reply.status),
      ...(byWhoami ? checkWhoami(expected, reply) : checkArrival(expected, reply, arrivals)),
      ...checkSeenByOthers(expected.mirrored, mirrored),
      ...checkSeenByOthers(expected.asked, asked),
      ...checkReply(expected, reply),
      ...this.#checkLog(step, request, expected, reply, await this.#log.next()),
    ];
  }

  /** The access log must tell the same story: which listener and rule served, with which status. */
  #checkLog(
    step: Step,
    request: CaseRequest,
    expected: Answer,
    { status }: Reply,
    entry: LogEntry | undefined,
  ): Mismatch[] {
    if (!entry) return [mismatch('access log', 'a line', 'none')];
    const found = [
      // What is said on a connection of a TLSRoute is not known.
      ...(entry.protocol === 'TLS' ? [] : unequal('status in the access log', status, entry.status)),
      ...unequal('listener', expected.listener, entry.listener ?? 'none'),
      ...(this.#http2For(request) ? unequal('protocol', 'HTTP/2.0', entry.protocol) : []),
    ];
    if (expected.rule === undefined) return found;
    const resources = this.#agents.get(address(step, request).gateway)?.snapshot?.resources ?? [];
    const rule = resources.find(
      (resource): resource is RouteRule =>
        isRuleResource(resource) &&
        (resource.type === 'tls-rule') === (entry.protocol === 'TLS') &&
        resource.source.namespace === entry.namespace &&
        resource.source.name === entry.route &&
        (resource.source.ruleName ?? resource.source.rule) === entry.rule,
    );
    if (rule && isRule(expected.rule, rule)) return found;
    return [...found, mismatch('rule', expected.rule, rule ? ruleLabel(rule) : 'none')];
  }

  async #measure(
    step: Step,
    request: CaseRequest,
    expected: ReadonlyMap<string, number>,
  ): Promise<Mismatch[]> {
    const counts = new Map<string, number>();
    for (let i = 0; i < DRAWS; i++) {
      const reply = await this.#send(step, request);
      // A connection of a TLSRoute is closed where HTTP is answered 500.
      const to = 'refused' in reply ? '500' : reachedBy(reply, this.#echo.arrivals);
      // So that no late line is taken for that of the next request.
      await this.#log.next();
      counts.set(to, (counts.get(to) ?? 0) + 1);
    }
    const total = [...expected.values()].reduce((sum, weight) => sum + weight, 0);
    const found: Mismatch[] = [];
    for (const to of new Set([...expected.keys(), ...counts.keys()])) {
      const wanted = (expected.get(to) ?? 0) / total;
      const got = (counts.get(to) ?? 0) / DRAWS;
      // A share of 0 is none at all.
      if (Math.abs(wanted - got) > (wanted === 0 ? 0 : TOLERANCE)) {
        found.push(mismatch(`share of ${to} in ${DRAWS} requests`, wanted.toFixed(2), got.toFixed(2)));
      }
    }
    return found;
  }
}

function hasSlices(objects: readonly RawObject[], namespace: string, service: string): boolean {
  return objects.some((object) => {
    const metadata = object.metadata as { namespace?: string; labels?: Record<string, string> };
    return (
      object.kind === 'EndpointSlice' &&
      metadata.namespace === namespace &&
      metadata.labels?.['kubernetes.io/service-name'] === service
    );
  });
}
