/** The reflector against a real API server, through a relay that does what networks do. */
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, it } from '@jest/globals';
import { ApiClient, type CallOptions } from '../../../gateway-runtime/control/cluster/client.ts';
import {
  type CollectionState,
  Reflector,
  TIMINGS,
  type Timings,
} from '../../../gateway-runtime/control/cluster/reflector.ts';
import { eventually } from '../../cluster/command.ts';
import { ApiServer } from './api-server.ts';
import { put, remove, service } from './objects.ts';
import { Relay } from './relay.ts';

let server: ApiServer;
let relay: Relay;
let client: ListCounting;
let reflector: Reflector | undefined;

/** What a reflector has handed on: objects that are there, each with how often it was set, and states. */
class Seen {
  readonly objects = new Map<string, number>();
  readonly removed: string[] = [];
  readonly states: CollectionState[] = [];

  readonly sink = {
    set: (object: { metadata: { name: string; managedFields?: unknown } }) => {
      expect(object.metadata.managedFields).toBeUndefined();
      this.objects.set(object.metadata.name, (this.objects.get(object.metadata.name) ?? 0) + 1);
    },
    remove: ({ name }: { name: string }) => {
      expect(this.objects.delete(name)).toBe(true);
      this.removed.push(name);
    },
    state: (state: CollectionState) => {
      this.states.push(state);
    },
  };

  get phases(): string[] {
    return this.states.map(({ phase }) => phase);
  }
}

function follow(timings: Partial<Timings> = {}, fieldSelector?: string): Seen {
  const seen = new Seen();
  const collection = {
    kind: 'Service',
    paths: ['/api/v1/namespaces/default/services'],
    ...(fieldSelector ? { fieldSelector } : {}),
  };
  reflector = new Reflector(client, collection, seen.sink, { ...TIMINGS, ...timings });
  reflector.start();
  return seen;
}

/** For what must come by itself, well within the default timings. */
const soon = <T>(attempt: () => T) => eventually(5_000, async () => attempt());

beforeAll(async () => {
  server = await ApiServer.start();
});

afterAll(() => server?.stop());

beforeEach(async () => {
  relay = await Relay.to(server.port);
  client = new ListCounting(server.connectionAt(relay.port));
});

afterEach(async () => {
  await reflector?.stop();
  client.close();
  await relay.cut();
  await remove(server.client, ...['a', 'b', 'c'].map(service));
});

describe('a reflector', () => {
  it('hands on what is there, comes, changes and goes', async () => {
    await put(server.client, service('a'));
    const seen = follow();
    await soon(() => expect(seen.phases).toEqual(['synced']));
    expect(seen.objects.get('a')).toBe(1);
    await put(server.client, service('b'));
    await soon(() => expect(seen.objects.get('b')).toBe(1));
    await put(server.client, { ...service('b'), metadata: { name: 'b', labels: { team: 'shop' } } });
    await soon(() => expect(seen.objects.get('b')).toBe(2));
    await remove(server.client, service('a'));
    await soon(() => expect(seen.removed).toEqual(['a']));
  });

  it('reads a collection of several pages', async () => {
    const names = Array.from({ length: 230 }, (_, index) => `page-${index}`);
    await put(server.client, ...names.map(service));
    const seen = follow();
    await soon(() => expect(seen.phases).toEqual(['synced']));
    expect([...seen.objects.keys()].filter((name) => name.startsWith('page-'))).toHaveLength(names.length);
    await remove(server.client, ...names.map(service));
    await soon(() => expect(seen.removed).toHaveLength(names.length));
  });

  it('follows one object alone by a field selector', async () => {
    const seen = follow({}, 'metadata.name=b');
    await soon(() => expect(seen.phases).toEqual(['synced']));
    await put(server.client, service('a'), service('b'));
    await soon(() => expect([...seen.objects.keys()]).toEqual(['b']));
  });

  it('notices a watch that has gone silent, and misses nothing', async () => {
    const seen = follow({ silence: 700 });
    await soon(() => expect(seen.phases).toEqual(['synced']));
    relay.silence();
    await put(server.client, service('a'));
    await soon(() => expect(seen.objects.get('a')).toBe(1));
    // It was not listed anew: what it knew was not handed on again.
    expect(seen.objects.get('kubernetes')).toBe(1);
  });

  it('comes back by itself when the API server was away', async () => {
    await put(server.client, service('a'));
    const seen = follow();
    await soon(() => expect(seen.phases).toEqual(['synced']));
    await relay.cut();
    await soon(() => expect(seen.phases).toEqual(['synced', 'unreachable']));
    await put(server.client, service('b'));
    await remove(server.client, service('a'));
    expect(seen.objects.has('a')).toBe(true);
    await relay.restore();
    await soon(() => expect([...seen.objects.keys()].sort()).toEqual(['b', 'kubernetes']));
    expect(seen.phases).toEqual(['synced', 'unreachable', 'synced']);
  });

  it('lists anew where the API server no longer has what happened in between', async () => {
    await put(server.client, service('a'), service('b'));
    const seen = follow();
    await soon(() => expect(seen.phases).toEqual(['synced']));
    await relay.cut();
    await remove(server.client, service('a'));
    await put(server.client, service('c'));
    await server.restart();
    client.lists = 0;
    await relay.restore();
    await eventually(20_000, async () =>
      expect([...seen.objects.keys()].sort()).toEqual(['b', 'c', 'kubernetes']),
    );
    expect(client.lists).toBe(1);
    expect(seen.objects.get('b')).toBe(1);
    expect(seen.removed).toEqual(['a']);
    await soon(() => expect(reflector!.state.phase).toBe('synced'));
  });

  it('lists anew now and then, handing on only what differs', async () => {
    await put(server.client, service('a'));
    const seen = follow({ relist: 1_000 });
    await soon(() => expect(seen.phases).toEqual(['synced']));
    client.lists = 0;
    await eventually(8_000, async () => expect(client.lists).toBeGreaterThanOrEqual(2));
    expect(seen.objects.get('a')).toBe(1);
  });

  it('says that the API server has no such kind', async () => {
    const seen = new Seen();
    reflector = new Reflector(
      client,
      { kind: 'Widget', paths: ['/apis/example.com/v1/widgets'] },
      seen.sink,
      TIMINGS,
    );
    reflector.start();
    await soon(() => expect(seen.phases).toEqual(['absent']));
  });

  it('says what it may not read', async () => {
    const seen = new Seen();
    const { certificate: _, key: __, ...nobody } = server.connection;
    const anonymous = new ApiClient(nobody);
    reflector = new Reflector(anonymous, { kind: 'Secret', paths: ['/api/v1/secrets'] }, seen.sink, TIMINGS);
    reflector.start();
    await soon(() => expect(seen.states).toMatchObject([{ phase: 'denied' }]));
    expect(JSON.stringify(seen.states[0])).toContain('cannot list resource');
    anonymous.close();
  });
});

/** Knows how many lists it has read; the API server's own metrics count those of its controllers as well. */
class ListCounting extends ApiClient {
  lists = 0;

  override async get<T>(path: string, options: CallOptions = {}): Promise<T> {
    const answer = await super.get<T>(path, options);
    this.lists++;
    return answer;
  }
}
