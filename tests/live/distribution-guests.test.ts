import { connect as connectTls } from 'node:tls';
import { afterEach, beforeEach, describe, expect, it } from '@jest/globals';
import { DataPlane } from '../../gateway-runtime/data-plane/data-plane.ts';
import { issue } from '../support/certificates.ts';
import { at, ControlPlane, FAST, routes, TOKEN, until } from '../support/distribution.ts';
import { FakeControl, Wire, type WireMessage } from '../support/distribution-wire.ts';
import { backend, GATEWAY } from '../support/gateway.ts';
import { exact, listener, rule } from '../unit/match/snapshots.ts';

let control: ControlPlane;
beforeEach(async () => {
  control = await ControlPlane.start({ limits: FAST });
});
afterEach(() => control.remove());

const web = listener('web');
const place = (port: number) => ({ address: '10.0.0.1', port });

describe('what goes over the wire', () => {
  it('is the difference, and only of what changed', async () => {
    const resources = [web, backend('a'), ...routes(50)];
    control.publish(at(1), { resources, endpoints: { a: [place(1)] } });
    const wire = await Wire.dial(control);
    wire.answer();
    expect(await wire.until('commit')).toMatchObject({ order: at(1), whole: ['endpoints', 'certificates'] });
    wire.received.length = 0;

    const [next] = control.publish(at(2), {
      resources: [...resources.slice(0, -1), ...routes(51).slice(50)],
    });
    expect(await wire.until('commit')).toMatchObject({ snapshot: { to: next!.version }, whole: [] });
    expect(wire.of('part')).toMatchObject([
      { section: 'resources', put: [{ key: 'http-rule/shop/route-50/0' }], remove: [] },
      { section: 'resources', put: [], remove: ['http-rule/shop/route-49/0'] },
    ]);
    wire.received.length = 0;

    control.change(at(3), {
      endpoints: new Map([
        [backend('a').key, { backend: backend('a').key, endpoints: [place(2)] }],
        ['backend/other/b/80', { backend: 'backend/other/b/80', endpoints: [place(3)] }],
      ]),
    });
    const commit = await wire.until('commit');
    expect(commit).toEqual({ type: 'commit', order: at(3), whole: [] });
    expect(wire.of('part')).toMatchObject([
      { section: 'endpoints', put: [{ endpoints: [place(2)] }], remove: [] },
    ]);
    wire.received.length = 0;

    // Nothing is new here.
    control.change(at(4), {});
    control.publish(at(5), { resources: [...resources, web] });
    expect(await wire.until('commit')).toMatchObject({ order: at(5) });
    wire.socket.destroy();
  });

  it('is nothing to one that has it all, a difference to one that has some, and everything to any other', async () => {
    const [first] = control.publish(at(1), { resources: [web, ...routes(20)], endpoints: { a: [place(1)] } });
    const whole = await Wire.dial(control);
    whole.answer();
    await whole.until('commit');
    expect(whole.of('part').flatMap(({ put }) => put)).toHaveLength(21);
    const none = '0'.repeat(64);
    const held = { order: at(1), version: first!.version, endpoints: none, certificates: none };

    const same = await Wire.dial(control, { replica: 'same', held });
    await until('it counts as served', () =>
      control.views.some(({ replica, acked }) => replica === 'same' && acked?.version === first!.version),
    );
    expect(same.of('commit')).toEqual([]);

    control.publish(at(2), { resources: [web, ...routes(21)] });
    const some = await Wire.dial(control, { replica: 'some', held });
    expect(await some.until('commit')).toMatchObject({ snapshot: { from: first!.version } });
    expect(some.of('part').flatMap(({ put }) => put)).toHaveLength(1);

    const strange = await Wire.dial(control, {
      replica: 'other',
      held: { ...held, version: 'f'.repeat(64) },
    });
    const commit = await strange.until('commit');
    expect(commit.snapshot).not.toHaveProperty('from');
    expect(strange.of('part').flatMap(({ put }) => put)).toHaveLength(22);
    for (const { socket } of [whole, same, some, strange]) socket.destroy();
  });

  it("never holds another Gateway's certificates, nor those that no listener names any more", async () => {
    const other = { namespace: 'media', name: 'gw' };
    control.tokens.set('token-of-other', { namespace: 'media', serviceAccount: 'gw-data-plane' });
    const secure = (name: string, ...certificates: string[]) =>
      listener(name, { port: 443, protocol: 'HTTPS', certificates });
    const [mine, theirs, late] = ['infra/mine', 'media/theirs', 'infra/late'].map((id) =>
      issue(id, ['a.example.com']),
    );
    control.publish(
      at(1),
      { resources: [secure('a', 'infra/mine')], certificates: [mine!] },
      { gateway: other, resources: [secure('b', 'media/theirs')], certificates: [theirs!] },
    );
    const [wire, otherWire] = await Promise.all([
      Wire.dial(control),
      Wire.dial(control, { gateway: other, token: 'token-of-other' }),
    ]);
    wire.answer();
    otherWire.answer();
    await Promise.all([wire.until('commit'), otherWire.until('commit')]);
    // Not named yet, renewed, named, and not named any more.
    control.change(at(2), { certificates: new Map([late!, theirs!].map((each) => [each.id, each])) });
    await otherWire.until('commit', 2);
    control.publish(at(3), { resources: [secure('a', 'infra/mine', 'infra/late')] });
    await wire.until('commit', 2);
    control.publish(at(4), { resources: [secure('a', 'infra/late')] });
    await wire.until('commit', 3);
    expect(wire.of('part').at(-1)).toMatchObject({ section: 'certificates', remove: ['infra/mine'] });
    const renewed = issue('infra/mine', ['renewed.example.com']);
    control.change(at(5), { certificates: new Map([[renewed.id, renewed]]) });
    control.publish(at(6), { resources: [secure('a', 'infra/late'), web] });
    await wire.until('commit', 4);

    // Not even its name.
    expect(wire.bytes.includes('media/theirs')).toBe(false);
    for (const id of ['infra/mine', 'infra/late']) expect(otherWire.bytes.includes(id)).toBe(false);
    const has = (bytes: Buffer, { privateKey }: { privateKey: string }) =>
      bytes.includes(JSON.stringify(privateKey).slice(1, -1));
    expect([mine!, late!, theirs!, renewed].map((each) => has(wire.bytes, each))).toEqual([
      true,
      true,
      false,
      false,
    ]);
    expect([mine!, late!, theirs!].map((each) => has(otherWire.bytes, each))).toEqual([false, false, true]);
    for (const { socket } of [wire, otherWire]) socket.destroy();
  });

  it('is bounded for one that reads slowly: it skips to the newest state', async () => {
    const many = (text: string) =>
      Array.from({ length: 40 }, (_, index) =>
        rule({
          route: `shop/big-${index}`,
          matches: [{ path: exact(`/${text}-${'x'.repeat(50_000)}`) }],
        }),
      );
    control.publish(at(1), { resources: [web, ...many('0')] });
    const wire = await Wire.dial(control);
    wire.answer();
    await wire.until('commit');
    wire.received.length = 0;
    wire.bytes = Buffer.alloc(0);
    wire.socket.pause();
    let newest = '';
    for (let step = 2; step <= 60; step++) {
      newest = control.publish(at(step), { resources: [web, ...many(`${step}`)] })[0]!.version;
      await new Promise(setImmediate);
    }
    wire.socket.resume();
    await until('it has the newest', () =>
      wire.of('commit').some(({ snapshot }) => (snapshot as { to: string }).to === newest),
    );
    // One was under way and one is the rest; sixty would be 120 MB.
    expect(wire.of('commit')).toHaveLength(2);
    expect(wire.bytes.length).toBeLessThan(5_000_000);
    wire.socket.destroy();
  });
});

describe('a data plane', () => {
  it('that refuses a difference gets everything, and what it refuses whole it does not get again', async () => {
    const object = { group: '', kind: 'Gateway', ...GATEWAY };
    const diagnostics = [{ severity: 'error', code: 'a/b', object, message: 'not that' }];
    const wire = await Wire.dial(control);
    const beats = setInterval(() => wire.send({ type: 'beat' }), 100);
    const say = (type: 'ack' | 'nack', { order }: WireMessage, { version }: { readonly version: string }) =>
      wire.send({ type, order, version, diagnostics: type === 'nack' ? diagnostics : [] });
    const [first] = control.publish(at(1), {
      resources: [web, backend('a')],
      endpoints: { a: [place(1)], b: [place(2)] },
    });
    say('ack', await wire.until('commit'), first!);
    const [second] = control.publish(at(2), { resources: [web, backend('b'), ...routes(1)] });
    const difference = await wire.until('commit', 2);
    expect(difference.snapshot).toEqual({ from: first!.version, to: second!.version });
    say('nack', difference, first!);
    const whole = await wire.until('commit', 3);
    expect(whole.snapshot).toEqual({ to: second!.version });
    wire.received.length = 0;
    say('nack', whole, first!);

    // What the refused one needs comes all the same; what only the one that serves needs is not taken away.
    const beneath = await wire.until('commit');
    expect(beneath).toEqual({ type: 'commit', order: at(2), whole: [] });
    expect(wire.of('part')).toMatchObject([
      { section: 'endpoints', put: [{ backend: backend('b').key }], remove: [] },
    ]);
    say('ack', beneath, first!);
    const [third] = control.publish(at(3), { resources: [web, ...routes(2)] });
    const last = await wire.until('commit', 2);
    expect(last).toMatchObject({
      snapshot: { from: first!.version, to: third!.version },
      // What was held back is made up for.
      whole: ['endpoints', 'certificates'],
    });
    expect(control.view).toMatchObject({
      acked: { order: at(1), version: first!.version },
      refused: second!.version,
      diagnostics: [{ message: 'not that' }],
    });
    say('ack', last, third!);
    await control.serves(third!);
    expect(control.view!.refused).toBeUndefined();
    expect(control.view!.diagnostics).toEqual([]);

    // Back to what it serves, after something that it refuses.
    control.publish(at(4), { resources: [web, ...routes(3)] });
    say('nack', await wire.until('commit', 3), third!);
    say('nack', await wire.until('commit', 4), third!);
    await until('it counts as refused', () => control.view?.refused !== undefined);
    control.publish(at(5), { resources: [web, ...routes(2)] });
    const back = await wire.until('commit', 5);
    expect(back).toEqual({ type: 'commit', order: at(5), whole: ['endpoints', 'certificates'] });
    say('ack', back, third!);
    await until('it counts as serving', () => control.view?.refused === undefined);
    expect(control.view!.acked).toEqual({ order: at(5), version: third!.version });
    const [sixth] = control.publish(at(6), { resources: [web, ...routes(4)] });
    expect(await wire.until('commit', 6)).toMatchObject({ order: at(6), whole: [] });
    // An ack of something else is no ack.
    say('ack', { type: 'commit', order: at(6) }, third!);
    expect(await wire.until('goodbye')).toMatchObject({ message: 'found an ack of another version' });
    expect(control.view!.acked?.version).not.toBe(sixth!.version);
    clearInterval(beats);
    wire.socket.destroy();
  });

  it('is asked to dial again when its token may have changed, and gets nothing that it has', async () => {
    const other = await ControlPlane.start({ limits: { ...FAST, age: 100 } });
    const [snapshot] = other.publish(at(1), { resources: [web] });
    const options = other.options();
    const plane = new DataPlane({ ...options, limits: FAST });
    await plane.start();
    const dials = () => options.events.filter((each) => each === 'connected to the control plane').length;
    await until('it dialled four times', () => dials() >= 4);
    await other.serves(snapshot!);
    expect(options.events.filter((each) => each.startsWith('serving'))).toHaveLength(1);
    expect(plane.isReady).toBe(true);
    await plane.close();
    await other.remove();
  });

  it('that does not answer, or is one too many, is let go', async () => {
    const other = await ControlPlane.start({ limits: { ...FAST, answer: 300, streams: 1 } });
    other.publish(at(1), { resources: [web] });
    const wire = await Wire.dial(other);
    const beats = setInterval(() => wire.send({ type: 'beat' }), 100);
    await wire.until('commit');
    const second = await Wire.dial(other, { replica: 'second' });
    expect(await second.until('goodbye')).toMatchObject({ reason: 'busy' });
    await wire.untilClosed();
    clearInterval(beats);
    expect(other.events.at(-1)).toContain('there was no answer to a commit for 0.3 s');
    second.socket.destroy();
    await other.remove();
  });

  it('lets go of a control plane that sends too much, or does not wait for its answer', async () => {
    await control.down();
    const fake = await FakeControl.listen(control);
    const plane = new DataPlane({ ...control.options(), limits: { ...FAST, update: 10_000 } });
    await plane.start();
    const first = await fake.welcome();
    for (let count = 0; count < 11; count++) {
      first.send({ type: 'part', section: 'endpoints', put: ['x'.repeat(1_000)], remove: [] });
    }
    expect(await first.until('goodbye')).toMatchObject({ message: 'part: expected at most 10000 bytes' });
    const second = await fake.welcome(2);
    for (const order of [at(1), at(2)]) second.send({ type: 'commit', order, whole: [] });
    expect(await second.until('goodbye')).toMatchObject({
      message: 'commit: expected none before the last one is answered',
    });
    await plane.close();
    await fake.close();
  });
});

describe('a Gateway that goes', () => {
  it('takes the streams of its data planes along, and says so of each', async () => {
    control.publish(at(1), { resources: [web] });
    const wire = await Wire.dial(control);
    await wire.until('welcome');
    expect(control.view).toMatchObject({ replica: 'wire', connected: true });
    control.change(at(2), { removedGateways: ['infra/gw'] });
    expect(await wire.until('goodbye')).toMatchObject({ message: 'the Gateway infra/gw is gone' });
    expect(control.view).toMatchObject({ replica: 'wire', connected: false });
  });
});

describe('a guest is refused', () => {
  const refusal = async (hello: Parameters<typeof Wire.dial>[1]) => {
    const wire = await Wire.dial(control, hello);
    await wire.untilClosed();
    expect(wire.received.map(({ type }) => type)).toEqual(['goodbye']);
    return wire.received[0]!;
  };

  beforeEach(() => {
    control.publish(at(1), { resources: [web] });
  });

  it('without a valid token', async () => {
    expect(await refusal({ token: 'made up' })).toMatchObject({
      reason: 'refused',
      message: 'found a token that is not valid for distribution.gatewright.dev',
    });
    expect(control.views).toEqual([]);
  });

  it("with the token of another Gateway's account, of another namespace, or of another pod", async () => {
    control.tokens.set('other', { namespace: 'infra', serviceAccount: 'other-data-plane' });
    control.tokens.set('elsewhere', { namespace: 'media', serviceAccount: 'gw-data-plane' });
    control.tokens.set('bound', { namespace: 'infra', serviceAccount: 'gw-data-plane', pod: 'gw-7' });
    expect(await refusal({ token: 'other' })).toMatchObject({
      message:
        'found a token of the service account infra/other-data-plane, expected one of infra/gw-data-plane, which is that of the Gateway infra/gw',
    });
    expect(await refusal({ token: 'elsewhere' })).toMatchObject({ reason: 'refused' });
    expect(await refusal({ token: 'bound' })).toMatchObject({
      message: 'found a token of the pod gw-7, expected one of wire, which it says it is',
    });
    expect(control.events.join()).not.toContain(TOKEN);
  });

  it('for a Gateway that there is not', async () => {
    const other = await ControlPlane.start({ limits: FAST, accountOf: () => '' });
    const wire = await Wire.dial(other);
    await wire.untilClosed();
    expect(wire.received[0]).toMatchObject({
      reason: 'refused',
      message: 'there is no Gateway infra/gw to serve, or there is not any more',
    });
    await other.down();
  });

  it('while tokens can not be checked, and let in when they can', async () => {
    await control.down();
    let fails = true;
    const verify = async () => {
      if (fails) throw new Error('the API server is away');
      return { namespace: 'infra', serviceAccount: 'gw-data-plane' };
    };
    const other = await ControlPlane.start({ limits: FAST, verify });
    other.publish(at(1), { resources: [web] });
    const plane = new DataPlane({ ...other.options(), limits: FAST });
    await plane.start();
    await until('it was refused', () => other.events.length > 0);
    expect(other.events[0]).toContain('the API server is away');
    fails = false;
    await until('it is ready', () => plane.isReady);
    await plane.close();
    await other.remove();
  });

  it('that says nothing, stops saying anything, or speaks another protocol', async () => {
    const mute = await Wire.open(control);
    const beats = setInterval(() => mute.send({ type: 'beat' }), 100);
    const dead = await Wire.dial(control);
    await dead.until('welcome');
    await Promise.all([mute.untilClosed(), dead.untilClosed()]);
    clearInterval(beats);
    expect(mute.of('goodbye')).toMatchObject([{ reason: 'protocol' }]);
    expect(control.view).toMatchObject({ replica: 'wire', connected: false });
    const ca = control.issuer.certificate;
    const http = connectTls({ host: '127.0.0.1', port: control.port, ca, ALPNProtocols: ['http/1.1'] });
    http.on('error', () => {});
    await until('it is closed', () => http.destroyed);
  });

  it('that dials again while its old stream stands: the old one ends', async () => {
    const old = await Wire.dial(control);
    await old.until('welcome');
    const fresh = await Wire.dial(control);
    await fresh.until('welcome');
    expect(await old.until('goodbye')).toMatchObject({ reason: 'replaced' });
    await old.untilClosed();
    expect(control.distribution.replicas(GATEWAY)).toMatchObject([{ replica: 'wire', connected: true }]);
    expect(control.view?.connected).toBe(true);
    fresh.socket.destroy();
  });
});
