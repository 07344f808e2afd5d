/** One configuration that requests are replayed against: the Gateways of it, each with a router. */
import { NOT_SERVED, type Outcome, Outcomes } from '../diff/outcome.ts';
import type { MatchRequest } from '../match/request.ts';
import { Router } from '../match/router.ts';
import { difference } from '../snapshot/difference.ts';
import type { HttpMatch, HttpRule, Listener, Snapshot } from '../snapshot/snapshot.ts';
import { type UnknownValues, withAtoms } from './unknown-values.ts';

/** What a request meets. */
export interface Reached {
  readonly outcome: Outcome;
  /** Absent where no rule takes it. */
  readonly rule?: HttpRule;
  /** The server name chose a listener of TLSRoutes, which are no matter of requests. */
  readonly isConnection?: true;
}

/** Where requests arrive. */
export interface Place {
  /** `namespace/name`. */
  readonly gateway: string;
  readonly port: number;
  readonly scheme: 'http' | 'https';
}

const answered = (status: number, text: string): Reached => ({
  outcome: { ...NOT_SERVED, key: String(status), status, text },
});

const NO_GATEWAY = answered(404, 'no connection: the Gateway is not there');
const NO_PORT = answered(404, 'no connection: no listener at the port');
const NO_LISTENER = answered(404, '404: no listener takes the host');
const MISDIRECTED = answered(
  421,
  '421: the TLS handshake was with another listener than the one of the host',
);
const CONNECTION: Reached = { outcome: NOT_SERVED, isConnection: true };
const NO_RULE: Reached = { outcome: NOT_SERVED };

interface Payload {
  readonly rule: HttpRule;
  readonly match: number;
  reached?: Reached;
}

class Gateway {
  readonly router: Router<Payload>;
  readonly outcomes: Outcomes;
  readonly listeners: readonly Listener[];
  readonly ports: ReadonlySet<number>;

  constructor(snapshot: Snapshot, unknown: UnknownValues) {
    const originals = new Map<HttpRule, HttpRule>();
    const resources = snapshot.resources.map((each) => {
      if (each.type !== 'http-rule') return each;
      const rule = withAtoms(each);
      originals.set(rule, each);
      return rule;
    });
    const compile = (rule: HttpRule, match: HttpMatch): Payload => ({
      rule: originals.get(rule)!,
      match: rule.matches.indexOf(match),
    });
    const delta = difference(undefined, { ...snapshot, resources });
    this.router = Router.empty<Payload>({ regex: unknown, compile }).with(delta);
    this.outcomes = new Outcomes(snapshot);
    this.listeners = resources.filter((each) => each.type === 'listener');
    this.ports = new Set(this.listeners.map(({ port }) => port));
  }
}

export class Side {
  readonly #gateways: ReadonlyMap<string, Gateway>;
  readonly places: readonly Place[];
  /** Names that matches ask for. */
  readonly headerNames = new Set<string>();
  readonly queryNames = new Set<string>();

  /** `snapshots` by `namespace/name` of their Gateway. */
  constructor(snapshots: ReadonlyMap<string, Snapshot>, unknown: UnknownValues) {
    this.#gateways = new Map([...snapshots].map(([name, each]) => [name, new Gateway(each, unknown)]));
    this.places = [...this.#gateways].flatMap(([gateway, { listeners }]) =>
      listeners.map(
        ({ port, protocol }): Place => ({
          gateway,
          port,
          scheme: protocol === 'HTTP' ? 'http' : 'https',
        }),
      ),
    );
    for (const { resources } of snapshots.values()) {
      for (const each of resources) {
        if (each.type !== 'http-rule') continue;
        for (const { headers, queryParams } of each.matches) {
          for (const { name } of headers) this.headerNames.add(name);
          for (const { name } of queryParams) this.queryNames.add(name);
        }
      }
    }
  }

  has(gateway: string): boolean {
    return this.#gateways.has(gateway);
  }

  /** Whether a listener there takes the host at all. */
  takes({ gateway, port }: Place, host: string): boolean {
    return this.#gateways.get(gateway)?.router.listener(port, host) !== undefined;
  }

  /** @param serverName of the TLS handshake, where it is another than the host */
  reach({ gateway, port }: Place, request: MatchRequest, serverName: string | undefined): Reached {
    const found = this.#gateways.get(gateway);
    if (!found) return NO_GATEWAY;
    const table = found.router.listener(port, request.host);
    if (!table) return found.ports.has(port) ? NO_LISTENER : NO_PORT;
    if (table.listener.protocol === 'TLS') return CONNECTION;
    if (serverName !== undefined) {
      const handshake = found.router.listener(port, serverName);
      if (handshake?.listener.key !== table.listener.key) return MISDIRECTED;
    }
    const payload = table.find(request)?.payload;
    if (!payload) return NO_RULE;
    payload.reached ??= { outcome: found.outcomes.of(payload.rule, payload.match), rule: payload.rule };
    return payload.reached;
  }
}
