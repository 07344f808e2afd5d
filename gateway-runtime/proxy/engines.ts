/** What can carry HTTP, by name. */
import type { Engine } from './engine.ts';
import { Http1Engine } from './engine-http1/engine.ts';
import { internals } from './engine-http1/internals.ts';
import { NodeEngine } from './engine-node/engine.ts';
import type { ExchangeHandler } from './exchange.ts';
import type { Limits } from './limits.ts';

type MakeEngine = (handler: ExchangeHandler, limits: Limits) => Engine;

export const ENGINES = {
  /** The engine of this project. */
  http1: (handler, limits) => new Http1Engine(handler, limits),
  /** The same, over what Node does not document (`engine-http1/internals.ts`). Throws where this Node does not have it. */
  'http1-internals': (handler, limits) => new Http1Engine(handler, limits, requireInternals(handler)),
  /** On `node:http`: for comparison. */
  node: (handler, limits) => new NodeEngine(handler, limits),
} as const satisfies Record<string, MakeEngine>;

export type EngineName = keyof typeof ENGINES;

export const isEngineName = (name: string): name is EngineName => Object.hasOwn(ENGINES, name);

function requireInternals(handler: ExchangeHandler) {
  const transport = internals((error) => handler.onInternalError(error));
  if (transport) return transport;
  throw new Error(
    `found Node ${process.version}, whose internals are not those that the engine http1-internals knows: use the engine http1`,
  );
}
