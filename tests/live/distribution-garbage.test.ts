/** Bytes that neither a data plane nor a control plane would send: what they end, and that it is nothing else. */
import { randomBytes } from 'node:crypto';
import { connect as connectTcp } from 'node:net';
import { afterEach, beforeEach, describe, expect, it } from '@jest/globals';
import fc from 'fast-check';
import { DataPlane } from '../../gateway-runtime/data-plane/data-plane.ts';
import { frame } from '../../gateway-runtime/distribution/frames.ts';
import { at, ControlPlane, FAST, routes, until } from '../support/distribution.ts';
import { FakeControl, Wire } from '../support/distribution-wire.ts';
import { listener } from '../unit/match/snapshots.ts';

let control: ControlPlane;
beforeEach(async () => {
  control = await ControlPlane.start({ limits: FAST });
});
afterEach(() => control.remove());

const web = listener('web');

/** Bytes that are nothing, frames that are no messages, and messages that are nearly right. */
const garbage = fc.oneof(
  fc.uint8Array({ minLength: 1, maxLength: 300 }).map((bytes) => Buffer.from(bytes)),
  fc.json().map(frame),
  fc
    .record(
      {
        type: fc.constantFrom(
          ...[
            'hello',
            'ack',
            'nack',
            'readiness',
            'beat',
            'goodbye',
            'welcome',
            'part',
            'commit',
            '__proto__',
          ],
        ),
        order: fc.oneof(fc.constant(at(1)), fc.jsonValue()),
        version: fc.oneof(fc.constant(''), fc.jsonValue()),
        diagnostics: fc.oneof(fc.constant([]), fc.jsonValue()),
        section: fc.oneof(fc.constantFrom('resources', 'endpoints', 'certificates'), fc.jsonValue()),
        put: fc.oneof(fc.array(fc.jsonValue()), fc.jsonValue()),
        remove: fc.oneof(fc.constant([]), fc.jsonValue()),
        whole: fc.oneof(fc.constant([]), fc.constant(['endpoints']), fc.jsonValue()),
        snapshot: fc.oneof(fc.constant({ to: '0'.repeat(64) }), fc.jsonValue()),
      },
      { requiredKeys: ['type'] },
    )
    .map((message) => frame(JSON.stringify(message))),
  fc.constantFrom(
    Buffer.from([0, 0, 0, 0]),
    Buffer.from([255, 255, 255, 255, 1]),
    frame('['.repeat(60_000)),
    frame(
      `{"type":"part","section":"resources","put":[{"type":"backend","key":${'['.repeat(9_000)}${']'.repeat(9_000)}}],"remove":[]}`,
    ),
    Buffer.concat([Buffer.from([0, 0, 0, 2]), Buffer.from([0xc3, 0x28])]),
  ),
);

describe('garbage', () => {
  it('from guests, before and after their hello, ends nothing but their streams', async () => {
    control.publish(at(1), { resources: [web] });
    const good = await Wire.dial(control, { replica: 'good' });
    good.answer();
    await good.until('commit');
    await fc.assert(
      fc.asyncProperty(
        fc.boolean(),
        fc.array(garbage, { minLength: 1, maxLength: 4 }),
        async (known, all) => {
          const wire = known ? await Wire.dial(control) : await Wire.open(control);
          if (known) await wire.until('welcome');
          for (const bytes of all) wire.socket.write(bytes);
          wire.socket.end();
          await wire.untilClosed();
        },
      ),
      { numRuns: 60 },
    );
    // Not even TLS.
    for (let count = 0; count < 10; count++) {
      const socket = connectTcp(control.port, '127.0.0.1').on('error', () => {});
      socket.resume();
      socket.end(randomBytes(500));
      await until('it is closed', () => socket.destroyed);
    }
    const [next] = control.publish(at(2), { resources: [web, ...routes(1)] });
    expect(await good.until('commit', 2)).toMatchObject({ snapshot: { to: next!.version } });
    good.socket.destroy();
  });

  it('from a control plane changes nothing of what is served', async () => {
    const plane = new DataPlane({ ...control.options(), limits: FAST, backoff: { first: 1, longest: 5 } });
    control.publish(at(1), { resources: [web] });
    await plane.start();
    await until('it is ready', () => plane.isReady);
    await control.down();
    const fake = await FakeControl.listen(control);
    let dials = 0;
    await fc.assert(
      fc.asyncProperty(
        fc.boolean(),
        fc.array(garbage, { minLength: 1, maxLength: 4 }),
        async (known, all) => {
          dials++;
          await until('it dialled', () => fake.wires.length >= dials);
          const wire = fake.wires[dials - 1]!;
          await wire.until('hello');
          if (known) wire.send({ type: 'welcome' });
          for (const bytes of all) wire.socket.write(bytes);
          wire.socket.end();
          await wire.untilClosed();
        },
      ),
      { numRuns: 60 },
    );
    expect(plane.isReady).toBe(true);
    expect(plane.boundPort(80)).toBeDefined();
    await fake.close();
    await plane.close();
  });
});
