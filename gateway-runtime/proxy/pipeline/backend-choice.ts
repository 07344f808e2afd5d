/** Which of a rule's backends a request goes to: that of its session, or else by weight. */
import type { Exchange } from '../exchange.ts';
import { RequestSession } from '../sessions/rule-sessions.ts';
import type { Upstreams } from '../upstream/upstreams.ts';
import type { CompiledBackend, CompiledRule } from './compiled-rule.ts';
import type { Observer } from './observer.ts';

/**
 * The backend for a draw from 0 up to 1: "weight/(sum of all weights in this BackendRefs list)" (BackendRef.weight). Undefined where no
 * backend has a weight. Those that did not resolve keep their share.
 */
export function chooseBackend(rule: CompiledRule, draw: number): CompiledBackend | undefined {
  const { backends, totalWeight } = rule;
  if (backends.length === 1) return backends[0];
  const point = draw * totalWeight;
  for (const backend of backends) if (point < backend.upTo) return backend;
  return undefined;
}

/**
 * "A persistent session takes precedence over traffic split weights", also over a weight of 0 (GEP-1619). Where its endpoint is gone, it
 * stays with the backend for as long as new sessions begin there. Undefined where the request is of no session that counts.
 */
export function backendOfSession(
  { request, outcome }: Exchange,
  { sessions }: CompiledRule,
  upstreams: Upstreams,
  observer: Observer,
): CompiledBackend | undefined {
  const shown = sessions!.find(request, Date.now());
  if (shown === null) observer.sessionRefused();
  const backend = shown ? sessions!.backendOf(shown) : undefined;
  const upstream = backend && upstreams.of(backend.backend!);
  const endpoint = upstream?.at(shown!.address, shown!.port);
  outcome.session = new RequestSession(shown ?? undefined, endpoint);
  return endpoint || (backend && backend.upTo > 0 && !upstream!.isEmpty) ? backend : undefined;
}
