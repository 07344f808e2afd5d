/** Connections to backends: kept, used again, given up; and which endpoint is asked. */

import { once } from 'node:events';
import { connect, type Socket } from 'node:net';
import { describe, expect, it } from '@jest/globals';
import { Metrics } from '../../gateway-runtime/proxy/telemetry/metrics.ts';
import type { Endpoint } from '../../gateway-runtime/snapshot/snapshot.ts';
import { Backend, unusedEndpoint } from '../support/backend.ts';
import { closedAfterEach } from '../support/closed-after-each.ts';
import { backend, backendKey, endpoints, TestGateway, to, toNothing } from '../support/gateway.ts';
import { listener, rule } from '../unit/match/snapshots.ts';

const start = closedAfterEach();
let gateway: TestGateway;

async function serve(
  places: Record<string, readonly Endpoint[]>,
  weighted = Object.keys(places).map((name) => to(name)),
  options: Parameters<typeof TestGateway.serving>[1] = {},
) {
  gateway = await start(
    TestGateway.serving(
      {
        resources: [
          listener('web'),
          ...Object.keys(places).map((name) => backend(name)),
          rule({ rest: { backends: weighted } }),
        ],
        endpoints: places,
      },
      options,
    ),
  );
}

async function answers(count: number, method = 'GET'): Promise<string[]> {
  const bodies: string[] = [];
  for (let i = 0; i < count; i++) {
    const { status, body } = await gateway.get('a.example.com/', { method });
    bodies.push(status === 200 ? body.trim() : String(status));
  }
  return bodies;
}

describe('a connection to an endpoint', () => {
  it('is used again', async () => {
    const whoami = await start(Backend.echo('whoami'));
    await serve({ whoami: [whoami.endpoint] });
    await answers(5);
    await answers(5, 'POST');
    expect(whoami.connections).toBe(1);
  });

  it('that the backend has closed says nothing against its endpoint, however many', async () => {
    const many = 16;
    const answer = (socket: Socket) => void socket.write('HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok');
    /** For so many at once, and then for each that comes. */
    const together = (act: (socket: Socket) => void) => {
      const waiting: Socket[] = [];
      return (socket: Socket) => {
        if (waiting.length >= many) act(socket);
        else if (waiting.push(socket) === many) for (const each of waiting) act(each);
      };
    };
    const [first, second] = [together(answer), together((socket) => socket.resetAndDestroy())];
    const forgetful = () =>
      Backend.tcp((socket) => {
        socket.once('data', () => {
          socket.once('data', () => second(socket));
          first(socket);
        });
      });
    const [one, other] = [await start(forgetful()), await start(forgetful())];
    const metrics = new Metrics();
    await serve({ whoami: [one.endpoint, other.endpoint] }, undefined, { metrics });
    for (let round = 0; round < 2; round++) {
      const all = await Promise.all(Array.from({ length: many }, () => gateway.get('a.example.com/')));
      expect(all.map(({ status }) => status)).toEqual(all.map(() => 200));
    }
    expect(one.used + other.used).toBe(2 * many);
    expect(await metrics.text()).not.toMatch(/gatewright_endpoint_ejections_total\{/);
  });

  it('is closed before the backend would', async () => {
    const whoami = await start(Backend.echo('whoami'));
    await serve({ whoami: [whoami.endpoint] }, undefined, { limits: { upstreamIdle: 100 } });
    await answers(1);
    const [socket] = whoami.sockets;
    await once(socket!, 'close');
    expect(await answers(1)).toEqual(['whoami']);
    expect(whoami.connections).toBe(2);
  });

  it('is not kept where the backend says that it closes', async () => {
    const whoami = await start(
      Backend.http((_, response) => response.writeHead(200, { connection: 'close' }).end('closing')),
    );
    await serve({ whoami: [whoami.endpoint] });
    expect(await answers(3)).toEqual(['closing', 'closing', 'closing']);
    expect(whoami.connections).toBe(3);
  });

  it('does not bring what a backend said unasked to the next client', async () => {
    const whoami = await start(
      Backend.tcp((socket) =>
        socket.on('data', () =>
          socket.write(
            'HTTP/1.1 200 OK\r\nContent-Length: 5\r\n\r\nfirstHTTP/1.1 200 OK\r\nContent-Length: 6\r\n\r\npoison',
          ),
        ),
      ),
    );
    await serve({ whoami: [whoami.endpoint] });
    expect(await answers(3)).not.toContain('poison');
  });

  /** Answers the first request of each connection, and closes when the second arrives. */
  const closing = () => {
    const sockets: Socket[] = [];
    return start(
      Backend.tcp((socket) => {
        let requests = 0;
        sockets.push(socket);
        socket.on('data', () => {
          if (++requests === 1) socket.write('HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok');
          else socket.destroy();
        });
      }),
    );
  };

  it('that was closed under a request is replaced, where the request may be sent twice', async () => {
    const stale = await closing();
    await serve({ whoami: [stale.endpoint] });
    expect(await answers(3)).toEqual(['ok', 'ok', 'ok']);
    expect(await answers(2, 'DELETE')).toEqual(['ok', 'ok']);
    expect(gateway.lines().map(({ attempts, failure }) => [attempts, failure])).toContainEqual([
      2,
      undefined,
    ]);
  });

  it('and not where it may not', async () => {
    const stale = await closing();
    await serve({ whoami: [stale.endpoint] });
    expect(await answers(2, 'POST')).toEqual(['ok', '502']);
    expect(gateway.lines().at(-1)).toMatchObject({ status: 502, failure: 'reset' });
  });

  it.each(['POST', 'PUT'])('and not with a body, which was sent already (%s)', async (method) => {
    const stale = await closing();
    await serve({ whoami: [stale.endpoint] });
    expect(await answers(1)).toEqual(['ok']);
    const { status } = await gateway.get('a.example.com/', { method, body: 'some' });
    expect([status, stale.connections]).toEqual([502, 1]);
  });

  it('that is new and is closed is not tried again', async () => {
    const broken = await start(Backend.tcp((socket) => socket.once('data', () => socket.destroy())));
    await serve({ whoami: [broken.endpoint] });
    expect(await answers(1)).toEqual(['502']);
    expect(broken.connections).toBe(1);
  });
});

describe('endpoints of a backend', () => {
  it('take turns', async () => {
    const [a, b, c] = await Promise.all(['a', 'b', 'c'].map((name) => start(Backend.echo(name))));
    await serve({ whoami: [a!.endpoint, b!.endpoint, c!.endpoint] });
    expect(await answers(6)).toEqual(['a', 'b', 'c', 'a', 'b', 'c']);
  });

  it('that terminate are asked only where there is no other', async () => {
    const [a, b] = await Promise.all(['a', 'b'].map((name) => start(Backend.echo(name))));
    const leaving = { ...a!.endpoint, terminating: true };
    await serve({ whoami: [leaving, b!.endpoint] });
    expect(await answers(3)).toEqual(['b', 'b', 'b']);
    await gateway.agent.apply({
      endpoints: new Map([[backendKey('whoami'), { backend: backendKey('whoami'), endpoints: [leaving] }]]),
    });
    expect(await answers(2)).toEqual(['a', 'a']);
  });

  it('that refuse connections are passed over, whatever the request', async () => {
    const whoami = await start(Backend.echo('whoami'));
    await serve({ whoami: [await unusedEndpoint(), whoami.endpoint, await unusedEndpoint()] });
    expect(await answers(4)).toEqual(['whoami', 'whoami', 'whoami', 'whoami']);
    const bodies = await Promise.all(
      Array.from({ length: 6 }, (_, i) =>
        gateway.get('a.example.com/', { method: 'POST', body: `body ${i}` }),
      ),
    );
    expect(bodies.map(({ status }) => status)).toEqual([200, 200, 200, 200, 200, 200]);
    expect(
      whoami.seen
        .slice(4)
        .map(({ body }) => body)
        .sort(),
    ).toEqual(Array.from({ length: 6 }, (_, i) => `body ${i}`));
  });

  it('are tried three at most', async () => {
    const gone = await Promise.all([1, 2, 3, 4, 5].map(() => unusedEndpoint()));
    await serve({ whoami: gone });
    expect(await answers(1)).toEqual(['503']);
    expect(gateway.lines()).toMatchObject([{ status: 503, failure: 'connect', attempts: 3 }]);
  });

  it('come and go without a new snapshot', async () => {
    const [a, b] = await Promise.all(['a', 'b'].map((name) => start(Backend.echo(name))));
    await serve({ whoami: [a!.endpoint] });
    expect(await answers(1)).toEqual(['a']);
    const key = backendKey('whoami');
    await gateway.agent.apply({ endpoints: new Map([[key, { backend: key, endpoints: [b!.endpoint] }]]) });
    expect(await answers(2)).toEqual(['b', 'b']);
    await gateway.agent.apply({ endpoints: new Map([[key, undefined]]) });
    expect(await answers(1)).toEqual(['503']);
  });

  it('are asked for elsewhere where a backend has none', async () => {
    const [a, echo] = await Promise.all(['a', 'echo'].map((name) => start(Backend.echo(name))));
    await serve({ whoami: [] }, undefined, {
      fallbackEndpoints: ({ namespace, service, port }) =>
        `${namespace}/${service}:${port}` === 'shop/whoami:80' ? [echo!.endpoint] : [],
    });
    expect(await answers(2)).toEqual(['echo', 'echo']);
    const key = backendKey('whoami');
    await gateway.agent.apply({ endpoints: new Map([[key, { backend: key, endpoints: [a!.endpoint] }]]) });
    expect(await answers(1)).toEqual(['a']);
  });
});

describe('weights', () => {
  /** Five standard deviations of a binomial distribution: wrong once in a million runs. */
  const within = (count: number, total: number, share: number) =>
    Math.abs(count - total * share) <= 5 * Math.sqrt(total * share * (1 - share));

  async function shares(total: number) {
    const counts = new Map<string, number>();
    await Promise.all(
      Array.from({ length: 10 }, async () => {
        for (const body of await answers(total / 10)) counts.set(body, (counts.get(body) ?? 0) + 1);
      }),
    );
    return counts;
  }

  it('are shares of the traffic, those that did not resolve too', async () => {
    const [a, b] = await Promise.all(['a', 'b'].map((name) => start(Backend.echo(name))));
    await serve({ a: [a!.endpoint], b: [b!.endpoint] }, [to('a', 3), to('b', 1), toNothing(1), to('b', 0)]);
    const counts = await shares(1_000);
    expect([...counts.keys()].sort()).toEqual(['500', 'a', 'b']);
    expect(within(counts.get('a')!, 1_000, 3 / 5)).toBe(true);
    expect(within(counts.get('b')!, 1_000, 1 / 5)).toBe(true);
    expect(within(counts.get('500')!, 1_000, 1 / 5)).toBe(true);
  });

  it('follow the draw', async () => {
    const [a, b] = await Promise.all(['a', 'b'].map((name) => start(Backend.echo(name))));
    const draws = [0, 0.7499, 0.75, 0.9999];
    await serve({ a: [a!.endpoint], b: [b!.endpoint] }, [to('a', 3), to('b', 1)], {
      random: () => draws.shift()!,
    });
    expect(await answers(4)).toEqual(['a', 'a', 'b', 'b']);
  });

  it('of 0 get nothing, even where the others have no endpoint', async () => {
    const a = await start(Backend.echo('a'));
    await serve({ a: [a.endpoint], b: [] }, [to('a', 0), to('b', 1)]);
    expect(await answers(5)).toEqual(['503', '503', '503', '503', '503']);
  });
});

describe('an endpoint that has as many requests as it may have', () => {
  /** Answers when it is told to, with the path. */
  async function holding(limits: Record<string, number>) {
    const held: (() => void)[] = [];
    const backend = await start(
      Backend.http((message, response) => {
        message.resume();
        held.push(() => response.end(message.url));
      }),
    );
    await serve({ whoami: [backend.endpoint] }, undefined, { limits });
    const arrived = async (count: number) => {
      while (held.length < count) await new Promise(setImmediate);
    };
    return { held, arrived };
  }

  it('has others wait for their turn', async () => {
    const { held, arrived } = await holding({ connectionsPerEndpoint: 1, pendingTime: 60_000 });
    const ask = async (path: string, body?: string) => {
      const answer = gateway.get(`a.example.com${path}`, body ? { method: 'POST', body } : {});
      return (await answer).body;
    };
    const first = ask('/1');
    await arrived(1);
    const others = [ask('/2', 'some'), ask('/3')];
    for (let i = 0; i < 3; i++) {
      await arrived(i + 1);
      expect(held).toHaveLength(i + 1);
      held[i]!();
    }
    expect(await Promise.all([first, ...others])).toEqual(['/1', '/2', '/3']);
    expect(gateway.lines().map(({ status, failure }) => [status, failure])).toEqual(
      Array.from({ length: 3 }, () => [200, undefined]),
    );
  });

  it('and not for ever', async () => {
    const { held, arrived } = await holding({ connectionsPerEndpoint: 1, pendingTime: 50 });
    const first = gateway.get('a.example.com/');
    await arrived(1);
    expect(await gateway.get('a.example.com/')).toMatchObject({
      status: 503,
      body: '503: the backend has as many requests as it may have; try again\n',
    });
    held[0]!();
    expect((await first).status).toBe(200);
    expect(gateway.lines()[0]).toMatchObject({ status: 503, failure: 'overloaded' });
  });

  it.each([
    ['another endpoint comes', true, 200],
    ['it goes, and there is no other', false, 503],
  ])('no longer than until %s', async (_, hasOther, status) => {
    const { held, arrived } = await holding({ connectionsPerEndpoint: 1, pendingTime: 60_000 });
    const first = gateway.get('a.example.com/1');
    await arrived(1);
    const client = connect(gateway.port(), '127.0.0.1');
    client.write('GET /2 HTTP/1.1\r\nHost: a.example.com\r\n\r\n');
    const answered = once(client, 'data');
    // What it sent was read when who comes later is told that there is no Host.
    const last = connect(gateway.port(), '127.0.0.1');
    last.write('GET / HTTP/1.1\r\n\r\n');
    expect(String(await once(last, 'data'))).toMatch(/^HTTP\/1.1 400 /);
    last.destroy();
    const other = await start(Backend.echo('other'));
    await gateway.agent.apply({ endpoints: endpoints({ whoami: hasOther ? [other.endpoint] : [] }) });
    expect(String(await answered)).toMatch(new RegExp(`^HTTP/1.1 ${status} `));
    client.destroy();
    held[0]!();
    expect((await first).body).toBe('/1');
  });

  it('nor more of them than may wait; a client that goes makes room', async () => {
    const { held, arrived } = await holding({
      connectionsPerEndpoint: 1,
      pendingPerBackend: 1,
      pendingTime: 60_000,
    });
    const first = gateway.get('a.example.com/1');
    await arrived(1);
    const clients = [1, 2].map(() => {
      const client = connect(gateway.port(), '127.0.0.1');
      client.write('GET /other HTTP/1.1\r\nHost: a.example.com\r\n\r\n');
      return client;
    });
    const answered = clients.map(async (client) => ({ client, answer: String(await once(client, 'data')) }));
    const refused = await Promise.race(answered);
    expect(refused.answer).toMatch(/^HTTP\/1.1 503 /);
    const waiting = clients.find((client) => client !== refused.client)!;
    waiting.resetAndDestroy();
    while (!gateway.lines().some(({ failure }) => failure === 'client-gone')) await new Promise(setImmediate);
    const next = gateway.get('a.example.com/2');
    // It waits, as it would not if the one that went still did; nobody has seen the request of that one.
    held[0]!();
    await arrived(2);
    held[1]!();
    expect((await next).body).toBe('/2');
    refused.client.destroy();
    await first;
  });
});
