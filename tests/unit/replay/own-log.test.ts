/** What a data plane writes of its requests is all that a replay needs: headers, parameters, ports and server names that rules ask for. */
import { afterEach, beforeEach, expect, it } from '@jest/globals';
import { re2 } from '../../../gateway-runtime/regex/re2.ts';
import { FORMATS } from '../../../gateway-runtime/replay/formats/index.ts';
import { Replay } from '../../../gateway-runtime/replay/replay.ts';
import type { Resource } from '../../../gateway-runtime/snapshot/snapshot.ts';
import { Backend } from '../../support/backend.ts';
import { backend, TestGateway, to } from '../../support/gateway.ts';
import { listener, prefix, rule, snapshot } from '../match/snapshots.ts';

const resources = (goldTo: string): Resource[] => [
  listener('web'),
  backend('one'),
  backend('two'),
  rule({
    route: 'shop/gold',
    matches: [{ path: prefix('/cart'), headers: { 'x-tier': 'gold' }, query: { page: '1' } }],
    rest: { backends: [to(goldTo)] },
  }),
  rule({ route: 'shop/rest', matches: [{ path: prefix('/cart') }], rest: { backends: [to('one')] } }),
];

let one: Backend;
let gateway: TestGateway;
beforeEach(async () => {
  one = await Backend.echo('one');
  gateway = await TestGateway.serving({
    resources: resources('one'),
    endpoints: { one: [one.endpoint], two: [one.endpoint] },
  });
});
afterEach(async () => {
  await gateway.close();
  await one.close();
});

it('nothing is undecided, with the configuration before and without', async () => {
  const headers = { 'x-tier': 'gold' };
  await gateway.get('shop.example.com/cart?page=1', { headers });
  await gateway.get('shop.example.com/cart?page=2', { headers });
  await gateway.get('shop.example.com/cart?page=1');
  await gateway.get('shop.example.com/none');
  const of = (goldTo: string) => new Map([['infra/gw', snapshot(...resources(goldTo))]]);
  const replay = (options: { from?: ReturnType<typeof of>; against: ReturnType<typeof of> }) => {
    const [format] = FORMATS;
    const replayed = new Replay({ format: format!, regex: re2, ...options });
    for (const line of gateway.log) replayed.line(line);
    return replayed.result;
  };
  const all = { requests: 4, undecided: 0, unread: { count: 0 } };
  expect(replay({ from: of('one'), against: of('one') })).toMatchObject({ ...all, unchanged: 4 });
  expect(replay({ from: of('one'), against: of('two') })).toMatchObject({ ...all, unchanged: 3, moved: 1 });
  expect(replay({ against: of('one') })).toMatchObject({ ...all, unchanged: 4 });
  expect(replay({ against: of('two') })).toMatchObject({ ...all, unchanged: 3, moved: 1 });
});
