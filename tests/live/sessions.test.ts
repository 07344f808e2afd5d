/** Session persistence on real connections: who comes back where, whatever happens to endpoints and data planes meanwhile. */
import { afterEach, describe, expect, it } from '@jest/globals';
import fc from 'fast-check';
import type { AgentOptions } from '../../gateway-runtime/proxy/agent.ts';
import { Metrics } from '../../gateway-runtime/proxy/telemetry/metrics.ts';
import type { RuleRetry, RuleSession } from '../../gateway-runtime/snapshot/snapshot.ts';
import { Backend } from '../support/backend.ts';
import type { Answer } from '../support/client.ts';
import { backend, endpoints, TestGateway, to } from '../support/gateway.ts';
import { listener, rule } from '../unit/match/snapshots.ts';

const SECRET = Buffer.alloc(32, 1).toString('base64url');
const backends: Backend[] = [];
const gateways: TestGateway[] = [];

afterEach(async () => {
  await Promise.all(gateways.splice(0).map(({ agent }) => agent.close()));
  await Promise.all(backends.splice(0).map((each) => each.close()));
});

async function echoes(...names: string[]): Promise<Backend[]> {
  const started = await Promise.all(names.map((name) => Backend.echo(name)));
  backends.push(...started);
  return started;
}

async function serving(
  places: readonly Backend[],
  rest: { session?: RuleSession; retry?: RuleRetry } = {},
  options: Partial<AgentOptions> = {},
): Promise<TestGateway> {
  const session = rest.session ?? { type: 'Cookie', name: 'S' };
  const gateway = await TestGateway.serving(
    {
      resources: [listener('web'), backend('a'), rule({ rest: { backends: [to('a')], ...rest, session } })],
      endpoints: { a: places.map(({ endpoint }) => endpoint) },
    },
    options,
  );
  gateways.push(gateway);
  return gateway;
}

/** A browser, as far as this cookie goes. */
class Browser {
  cookie = '';
  /** The last answer gave a new one. */
  isNew = false;

  async get(gateway: TestGateway, method = 'GET'): Promise<string> {
    const headers: Record<string, string> = this.cookie ? { cookie: this.cookie } : {};
    const answer = await gateway.get('a.example.com/', { method, headers });
    this.take(answer);
    return answer.status === 200 ? answer.body.trim() : String(answer.status);
  }

  take({ headers }: Answer): void {
    const [set] = headers['set-cookie'] ?? [];
    this.isNew = set !== undefined;
    if (set) this.cookie = set.slice(0, set.indexOf(';'));
  }
}

describe('a session', () => {
  it('is at one endpoint for as long as that is there, and moves once where it is not, whatever else comes and goes', async () => {
    const all = await echoes('0', '1', '2', '3', '4');
    const gateway = await serving(all);
    const someOf = fc.subarray([0, 1, 2, 3, 4], { minLength: 1 });
    await fc.assert(
      fc.asyncProperty(fc.array(someOf, { minLength: 1, maxLength: 6 }), async (steps) => {
        const browsers = Array.from({ length: 4 }, () => ({ browser: new Browser(), at: -1 }));
        for (const step of steps) {
          const places = endpoints({ a: step.map((index) => all[index]!.endpoint) });
          await gateway.agent.apply({ endpoints: places });
          for (const each of browsers) {
            for (let i = 0; i < 2; i++) {
              const at = Number(await each.browser.get(gateway));
              expect(step).toContain(at);
              if (step.includes(each.at)) expect([at, each.browser.isNew]).toEqual([each.at, false]);
              else expect(each.browser.isNew).toBe(true);
              each.at = at;
            }
          }
        }
      }),
      { numRuns: 15, seed: 4 },
    );
  });

  it('is the same at every data plane of the Gateway, after each start, and at none of another', async () => {
    const all = await echoes('0', '1', '2');
    const metrics = new Metrics();
    const [here, there, elsewhere] = await Promise.all([
      serving(all),
      serving(all),
      serving(all, {}, { metrics }),
    ]);
    for (const { agent } of [here, there]) await agent.apply({ sessionKeys: [SECRET] });
    const browser = new Browser();
    await browser.get(here);
    const at = await browser.get(here);
    for (let i = 0; i < 3; i++) {
      expect(await browser.get(there)).toBe(at);
      expect(browser.isNew).toBe(false);
    }
    await browser.get(elsewhere);
    expect(browser.isNew).toBe(true);
    expect(await metrics.text()).toMatch(/gatewright_events_total\{[^}]*event="session-refused"\} 1/);
  });

  it('moves where its endpoint gives no connection, and stays there', async () => {
    const [a, b] = await echoes('a', 'b');
    const gateway = await serving([a!, b!]);
    const browser = new Browser();
    expect(await browser.get(gateway)).toBe('a');
    backends.splice(backends.indexOf(a!), 1);
    await a!.close();
    expect(await browser.get(gateway, 'DELETE')).toBe('b');
    expect(browser.isNew).toBe(true);
    expect(await browser.get(gateway)).toBe('b');
    expect(browser.isNew).toBe(false);
    expect(gateway.lines().map(({ session }) => session)).toEqual(['new', 'moved', 'kept']);
  });

  it('is tried again at its own endpoint, and one that only begins at another', async () => {
    const failing = await Promise.all(
      ['a', 'b'].map((name) => {
        let requests = 0;
        return Backend.http((message, response) => {
          message.resume();
          response.writeHead(++requests % 2 === 0 ? 200 : 503).end(name);
        });
      }),
    );
    backends.push(...failing);
    const retry = { codes: [503], attempts: 3, backoff: 1 };
    const gateway = await serving(failing, { retry });
    const browser = new Browser();
    // 503 of a, 503 of b, and then the second of a.
    expect(await browser.get(gateway)).toBe('a');
    for (let i = 0; i < 3; i++) {
      expect(await browser.get(gateway)).toBe('a');
      expect(browser.isNew).toBe(false);
    }
    expect(gateway.lines().map(({ attempts }) => attempts)).toEqual([3, 2, 2, 2]);
  });

  it('is over when its time is', async () => {
    const all = await echoes('0', '1');
    const gateway = await serving(all, { session: { type: 'Cookie', name: 'S', lifetime: 1 } });
    const browser = new Browser();
    await browser.get(gateway);
    const until = Date.now() + 1;
    while (Date.now() <= until) await new Promise(setImmediate);
    await browser.get(gateway);
    expect(browser.isNew).toBe(true);
  });

  it('is counted, and told in the log, for rules that have sessions alone', async () => {
    const all = await echoes('0', '1');
    const metrics = new Metrics();
    const gateway = await serving(all, {}, { metrics });
    const browser = new Browser();
    for (let i = 0; i < 3; i++) await browser.get(gateway);
    const text = await metrics.text();
    expect(text).toMatch(/gatewright_session_requests_total\{[^}]*session="new"\} 1/);
    expect(text).toMatch(/gatewright_session_requests_total\{[^}]*session="kept"\} 2/);
    expect(text).toMatch(/gatewright_backend_endpoints\{[^}]*backend="shop\/a\/80",condition="usable"\} 2/);
    expect(text).not.toMatch(/session="moved"/);
    await gateway.serve({
      resources: [listener('web'), backend('a'), rule({ rest: { backends: [to('a')] } })],
      endpoints: { a: all.map(({ endpoint }) => endpoint) },
    });
    await browser.get(gateway);
    expect(gateway.lines().at(-1)).not.toHaveProperty('session');
  });
});

describe('an endpoint that fails one request after the other', () => {
  it('gets no more for a while, and metrics say so', async () => {
    const broken = await Backend.tcp((socket) => socket.once('data', () => socket.destroy()));
    const unwell = await Backend.http((_, response) => response.writeHead(503).end());
    const [well] = await echoes('well');
    backends.push(broken, unwell);
    const metrics = new Metrics();
    for (const bad of [broken, unwell]) {
      const gateway = await serving([bad, well!], {}, { metrics });
      const answers: string[] = [];
      for (let i = 0; i < 20; i++) answers.push(await new Browser().get(gateway));
      // Every second, until it is enough.
      expect(answers.slice(0, 10).filter((each) => each === 'well')).toHaveLength(5);
      expect(answers.slice(10)).toEqual(Array.from({ length: 10 }, () => 'well'));
      const text = await metrics.text();
      expect(text).toMatch(/gatewright_endpoint_ejections_total\{[^}]*backend="shop\/a\/80"\} 1/);
      expect(text).toMatch(/gatewright_backend_endpoints\{[^}]*condition="ejected"\} 1/);
      await gateway.agent.close();
    }
  });
});
