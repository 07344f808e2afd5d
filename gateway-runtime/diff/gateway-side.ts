/** One of the two snapshots that are compared: its listeners by port and hostname, and their rules by hostname. */
import { ANY_HOST } from '../match/hostname.ts';
import { compareTlsRules } from '../match/tls-table.ts';
import type { HttpRule, Listener, ListenerKey, Snapshot, TlsRule } from '../snapshot/snapshot.ts';
import { mostSpecific } from './hosts.ts';
import { Outcomes } from './outcome.ts';
import { RuleBucket } from './rule-bucket.ts';

export class GatewaySide {
  readonly snapshot: Snapshot | undefined;
  readonly outcomes: Outcomes;
  readonly #ports = new Map<number, Map<string, Listener>>();
  readonly #rules = new Map<ListenerKey, Map<string, HttpRule[]>>();
  /** By hostname the one that goes first. */
  readonly #tlsRules = new Map<ListenerKey, Map<string, TlsRule>>();
  readonly #buckets = new Map<string, RuleBucket>();

  /** Without a snapshot: the Gateway is not there. */
  constructor(snapshot: Snapshot | undefined) {
    this.snapshot = snapshot;
    this.outcomes = new Outcomes(snapshot);
    for (const resource of snapshot?.resources ?? []) {
      if (resource.type === 'listener') this.#addListener(resource);
      else if (resource.type === 'http-rule') this.#addRule(resource);
      else if (resource.type === 'tls-rule') this.#addTlsRule(resource);
    }
  }

  #addListener(listener: Listener): void {
    const { port, hostname = ANY_HOST } = listener;
    const ofPort = this.#ports.get(port) ?? new Map<string, Listener>();
    // Two of one port and hostname are only where a snapshot is at fault; the first by key serves.
    if (!ofPort.has(hostname)) ofPort.set(hostname, listener);
    this.#ports.set(port, ofPort);
  }

  #addRule(rule: HttpRule): void {
    for (const { listener, hostnames } of rule.parents) {
      const hosts = this.#rules.get(listener) ?? new Map<string, HttpRule[]>();
      this.#rules.set(listener, hosts);
      for (const hostname of hostnames) {
        const rules = hosts.get(hostname);
        if (!rules) hosts.set(hostname, [rule]);
        else if (rules.at(-1) !== rule) rules.push(rule);
      }
    }
  }

  #addTlsRule(rule: TlsRule): void {
    for (const { listener, hostnames } of rule.parents) {
      const hosts = this.#tlsRules.get(listener) ?? new Map<string, TlsRule>();
      this.#tlsRules.set(listener, hosts);
      for (const hostname of hostnames) {
        const known = hosts.get(hostname);
        if (!known || compareTlsRules(rule, known) < 0) hosts.set(hostname, rule);
      }
    }
  }

  get ports(): readonly number[] {
    return [...this.#ports.keys()];
  }

  /** By hostname. */
  listeners(port: number): ReadonlyMap<string, Listener> {
    return this.#ports.get(port) ?? NO_LISTENERS;
  }

  /** Hostnames of the rules at a listener. */
  hostnames(listener: Listener): Iterable<string> {
    return this.#rules.get(listener.key)?.keys() ?? [];
  }

  /** Server names of the TLS rules at a listener. */
  tlsHostnames(listener: Listener): Iterable<string> {
    return this.#tlsRules.get(listener.key)?.keys() ?? [];
  }

  /** That serves a class of server names. */
  tlsRule(listener: Listener, hostnames: readonly string[]): TlsRule | undefined {
    const rules = this.#tlsRules.get(listener.key);
    return rules && mostSpecific(rules, hostnames);
  }

  /** In the order of their keys. */
  rules(listener: Listener | undefined, hostname: string): readonly HttpRule[] {
    return (listener && this.#rules.get(listener.key)?.get(hostname)) ?? NO_RULES;
  }

  /** The rules of a listener under one hostname; undefined where there are none. */
  bucket(listener: Listener | undefined, hostname: string): RuleBucket | undefined {
    const rules = this.rules(listener, hostname);
    if (rules.length === 0) return undefined;
    const key = `${listener!.key} ${hostname}`;
    const known = this.#buckets.get(key) ?? new RuleBucket(hostname, rules);
    this.#buckets.set(key, known);
    return known;
  }
}

const NO_LISTENERS: ReadonlyMap<string, Listener> = new Map();
const NO_RULES: readonly HttpRule[] = [];
