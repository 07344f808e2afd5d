/** The status writer over time, with a clock that the tests move. */
import { afterEach, beforeEach, describe, expect, it, jest } from '@jest/globals';
import fc from 'fast-check';
import { CONTROLLER_NAME, GATEWAY_GROUP } from '../../../gateway-runtime/api/names.ts';
import { StatusWriter } from '../../../gateway-runtime/control/status-writer.ts';
import type { WantedStatus } from '../../../gateway-runtime/control/status-writer-merge.ts';
import { type Fate, MemoryApi } from './memory-api.ts';

const refOf = (name: string) => ({ group: GATEWAY_GROUP, kind: 'HTTPRoute', namespace: 'shop', name });
const pathOf = (name: string) => `/apis/${GATEWAY_GROUP}/v1/namespaces/shop/httproutes/${name}`;

const wanted = (name: string, message: string, observedGeneration = 1): WantedStatus => ({
  kind: 'HTTPRoute',
  ref: refOf(name),
  parents: [
    {
      parentRef: { group: GATEWAY_GROUP, kind: 'Gateway', name: 'edge' },
      controllerName: CONTROLLER_NAME,
      conditions: [{ type: 'Accepted', status: 'True', reason: 'Accepted', message, observedGeneration }],
    },
  ],
});
const foreign = (message: string) => ({ controllerName: 'example.com/other', message });

interface Parent {
  readonly controllerName: string;
  readonly message?: string;
  readonly conditions?: readonly { readonly message: string }[];
}

let api: MemoryApi;
let writer: StatusWriter;
let leads: boolean;
let problems: string[];

const parents = (name: string) => (api.read(pathOf(name)).status as { parents?: Parent[] })?.parents ?? [];
const ours = (name: string) =>
  parents(name)
    .filter(({ controllerName }) => controllerName === CONTROLLER_NAME)
    .map(({ conditions }) => conditions![0]!.message);
const pass = (milliseconds: number) => jest.advanceTimersByTimeAsync(milliseconds);

function begin(): void {
  api = new MemoryApi();
  leads = true;
  problems = [];
  writer = new StatusWriter({
    client: api.client,
    mayWrite: () => leads,
    onProblem: (ref, message) => problems.push(`${ref.name}: ${message}`),
    concurrency: 3,
  });
  api.onChange = (object) => writer.observe(refOf(object.metadata.name), object);
}

beforeEach(() => {
  jest.useFakeTimers();
  begin();
});

afterEach(() => {
  writer.stop();
  jest.useRealTimers();
});

describe('the status writer', () => {
  it('writes nothing before it is told that it may', async () => {
    api.put(pathOf('a'), 'a', undefined);
    writer.want(refOf('a'), wanted('a', 'one'));
    await pass(60_000);
    expect(api.writes).toBe(0);
    writer.start();
    await pass(100);
    expect([api.writes, ours('a')]).toEqual([1, ['one']]);
  });

  it('writes the last of several states that came while it was writing', async () => {
    api.put(pathOf('a'), 'a', undefined);
    writer.start();
    writer.want(refOf('a'), wanted('a', 'one'));
    await pass(15);
    for (const message of ['two', 'three', 'four']) writer.want(refOf('a'), wanted('a', message));
    await pass(5_000);
    expect([api.writes, ours('a')]).toEqual([2, ['four']]);
  });

  it('begins a few writes at a time', async () => {
    writer.start();
    for (let index = 0; index < 20; index++) {
      api.put(pathOf(`r${index}`), `r${index}`, undefined);
      writer.want(refOf(`r${index}`), wanted(`r${index}`, 'one'));
    }
    await pass(1_000);
    expect([api.writes, api.mostActive]).toEqual([20, 3]);
  });

  it('begins only so many writes in a second', async () => {
    api.latency = 0;
    const slow = new StatusWriter({
      client: api.client,
      mayWrite: () => true,
      onProblem: () => {},
      rate: 10,
    });
    api.onChange = (object) => slow.observe(refOf(object.metadata.name), object);
    slow.start();
    for (let index = 0; index < 50; index++) {
      api.put(pathOf(`r${index}`), `r${index}`, undefined);
      slow.want(refOf(`r${index}`), wanted(`r${index}`, 'one'));
    }
    await pass(1_000);
    expect(api.writes).toBeGreaterThanOrEqual(15);
    expect(api.writes).toBeLessThanOrEqual(21);
    await pass(4_000);
    expect(api.writes).toBe(50);
    slow.stop();
  });

  it('stops in the middle of a write, and begins none where another leads already', async () => {
    api.put(pathOf('a'), 'a', undefined);
    await pass(20);
    writer.start();
    writer.want(refOf('a'), wanted('a', 'one'));
    writer.stop();
    await pass(60_000);
    expect(api.writes).toBe(0);
    leads = false;
    writer.start();
    await pass(60_000);
    expect([api.writes, api.active]).toEqual([0, 0]);
    leads = true;
    writer.start();
    await pass(100);
    expect(ours('a')).toEqual(['one']);
  });

  it('writes once where the answer was lost after the write', async () => {
    api.put(pathOf('a'), 'a', { parents: [foreign('x')] });
    api.fates.push('lost-after');
    writer.start();
    writer.want(refOf('a'), wanted('a', 'one'));
    await pass(60_000);
    expect([api.writes, ours('a')]).toEqual([1, ['one']]);
  });

  it('reads again where somebody was faster, and keeps what they wrote', async () => {
    api.put(pathOf('a'), 'a', undefined);
    await pass(20);
    writer.start();
    // Nobody has told us of it when we write.
    api.alter(pathOf('a'), () => ({ parents: [foreign('first')] }));
    writer.want(refOf('a'), wanted('a', 'one'));
    await pass(1_000);
    expect(parents('a')[0]).toEqual(foreign('first'));
    expect([api.writes, ours('a')]).toEqual([1, ['one']]);
  });

  it('does not say of an object made again under a name what was wanted of the one before', async () => {
    writer.start();
    api.put(pathOf('a'), 'a', undefined);
    writer.want(refOf('a'), wanted('a', 'of the one before', 5));
    await pass(60_000);
    expect(ours('a')).toEqual([]);
    writer.want(refOf('a'), wanted('a', 'of this one'));
    await pass(60_000);
    expect(ours('a')).toEqual(['of this one']);
  });

  it('repairs what others alter ever later, and writes a new state at once', async () => {
    api.put(pathOf('a'), 'a', undefined);
    writer.start();
    writer.want(refOf('a'), wanted('a', 'one'));
    await pass(1_000);
    const steal = async () => {
      api.alter(pathOf('a'), () => ({ parents: [] }));
      await pass(50);
    };
    for (let times = 0; times < 700; times++) await steal();
    // In 35 s at most after 1, 2, 4, 8 and 16 s more; an attempt can meet the thief and count as one.
    expect(api.writes).toBeLessThanOrEqual(1 + 5);
    expect(api.writes).toBeGreaterThanOrEqual(1 + 2);
    await steal();
    writer.want(refOf('a'), wanted('a', 'two'));
    await pass(1_600);
    expect(ours('a')).toEqual(['two']);
  });

  it('says that a status is refused, and tries again later and later', async () => {
    api.put(pathOf('a'), 'a', undefined);
    api.fates.push(...Array.from({ length: 1_000 }, (): Fate => 'refused'));
    writer.start();
    writer.want(refOf('a'), wanted('a', 'one'));
    await pass(60_000);
    const attempts = 1_000 - api.fates.length;
    expect(attempts).toBeLessThan(80);
    expect(problems.length).toBeGreaterThan(1);
    expect(problems[0]).toBe("a: Its status can't be written: not like this");
    api.fates.length = 0;
    await pass(60_000);
    expect(ours('a')).toEqual(['one']);
  });

  const step = fc.oneof(
    fc.record({
      do: fc.constant('want' as const),
      message: fc.constantFrom('one', 'two', 'three', undefined),
    }),
    fc.record({ do: fc.constant('foreign' as const), message: fc.constantFrom('x', 'y', 'z') }),
    fc.record({ do: fc.constant('steal' as const) }),
    fc.record({ do: fc.constant('lead' as const), leads: fc.boolean() }),
    fc.record({
      do: fc.constant('fate' as const),
      fate: fc.constantFrom<Fate>('refused', 'lost-before', 'lost-after'),
    }),
  );
  const steps = fc.array(
    fc.record({ name: fc.constantFrom('a', 'b'), step, wait: fc.constantFrom(0, 1, 9, 10, 11, 150, 3_000) }),
    { maxLength: 30 },
  );

  it('ends with what was wanted last, whatever happens, and never touches what others wrote', async () => {
    await fc.assert(
      fc.asyncProperty(steps, async (taken) => {
        begin();
        const last = new Map<string, string | undefined>();
        const theirs = new Map<string, string>();
        for (const name of ['a', 'b']) api.put(pathOf(name), name, undefined);
        writer.start();
        for (const { name, step: each, wait } of taken) {
          if (each.do === 'want') {
            last.set(name, each.message);
            writer.want(refOf(name), each.message === undefined ? undefined : wanted(name, each.message));
          } else if (each.do === 'foreign') {
            theirs.set(name, each.message);
            api.alter(pathOf(name), (status) => {
              const rest = ((status as { parents?: Parent[] })?.parents ?? []).filter(
                ({ controllerName }) => controllerName === CONTROLLER_NAME,
              );
              return { parents: [...rest, foreign(each.message)] };
            });
          } else if (each.do === 'steal') {
            api.alter(pathOf(name), (status) => ({
              parents: ((status as { parents?: Parent[] })?.parents ?? []).filter(
                ({ controllerName }) => controllerName !== CONTROLLER_NAME,
              ),
            }));
          } else if (each.do === 'lead') {
            leads = each.leads;
            if (leads) writer.start();
            else writer.stop();
          } else api.fates.push(each.fate);
          await pass(wait);
        }
        leads = true;
        api.fates.length = 0;
        writer.start();
        await pass(700_000);
        for (const name of ['a', 'b']) {
          const message = last.get(name);
          expect(ours(name)).toEqual(message === undefined ? [] : [message]);
          const others = parents(name).filter(({ controllerName }) => controllerName !== CONTROLLER_NAME);
          expect(others).toEqual(theirs.has(name) ? [foreign(theirs.get(name)!)] : []);
        }
        const { writes } = api;
        await pass(700_000);
        expect(api.writes).toBe(writes);
        writer.stop();
      }),
      { numRuns: 300 },
    );
  });
});
