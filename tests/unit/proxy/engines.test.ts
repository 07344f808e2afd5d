/** Which engine carries HTTP where nothing is said. */
import { afterEach, expect, it, jest } from '@jest/globals';
import { Agent } from '../../../gateway-runtime/proxy/agent.ts';
import type { EngineName } from '../../../gateway-runtime/proxy/engines.ts';
import { Metrics } from '../../../gateway-runtime/proxy/telemetry/metrics.ts';
import { re2 } from '../../../gateway-runtime/regex/re2.ts';
import { GATEWAY } from '../../support/gateway.ts';

afterEach(() => {
  jest.restoreAllMocks();
});

/** Bindings of Node, which it does not document, that were asked for. */
async function bindingsOf(engine: { readonly engine?: EngineName }): Promise<unknown[]> {
  const asked = jest.spyOn(process as unknown as { binding(name: string): object }, 'binding');
  const options = { gateway: GATEWAY, regex: re2, bindPort: () => 0, metrics: new Metrics() };
  await new Agent({ ...options, ...engine }).close();
  return asked.mock.calls.map(([name]) => name);
}

it('is one on public API alone: internals are off unless asked for', async () => {
  expect(await bindingsOf({})).toEqual([]);
  expect(await bindingsOf({ engine: 'http1' })).toEqual([]);
  expect(await bindingsOf({ engine: 'http1-internals' })).toEqual(['stream_wrap']);
});
