import { describe, expect, it } from '@jest/globals';
import { difference } from '../../../gateway-runtime/snapshot/difference.ts';
import type { Apply, Part } from '../../../gateway-runtime/workers/messages.ts';
import { UpdateParts, updateMessages } from '../../../gateway-runtime/workers/update-messages.ts';
import { issue } from '../../support/certificates.ts';
import { backendKey, endpoints } from '../../support/gateway.ts';
import { listener, rule, snapshot } from '../match/snapshots.ts';

function sent(messages: Iterable<string>) {
  const parts = new UpdateParts();
  const sizes: number[] = [];
  for (const text of messages) {
    sizes.push(text.length);
    const message = JSON.parse(text) as Part | Apply;
    if (message.type === 'apply') return { update: parts.complete(message), message, sizes, parts };
    parts.take(message);
  }
  throw new Error('found no apply');
}

describe('an update on its way to a worker', () => {
  it('arrives as it was sent, in pieces of a bounded size', () => {
    const routes = Array.from({ length: 3_000 }, (_, index) => rule({ route: `shop/r${index}` }));
    const before = snapshot(listener('old'));
    const shop = issue('infra/shop', ['shop.example.com']);
    const update = {
      delta: difference(before, snapshot(listener('web'), ...routes)),
      endpoints: new Map([...endpoints({ a: [{ address: '::1', port: 1 }] }), [backendKey('b'), undefined]]),
      certificates: new Map([[shop.id, shop]]),
      sessionKeys: ['a', 'b'],
    };
    const ports = [{ port: 80, number: 8080, publicPort: 80 }];
    const { update: arrived, message, sizes } = sent(updateMessages(7, update, ports));
    expect(arrived).toEqual(update);
    expect(message).toMatchObject({ id: 7, ports });
    expect(sizes.length).toBeGreaterThan(4);
    expect(Math.max(...sizes)).toBeLessThan(300 * 1024);
  });

  it('leaves nothing behind for the next', () => {
    const { parts } = sent(
      updateMessages(1, { delta: difference(undefined, snapshot(listener('web'))) }, []),
    );
    expect(parts.complete({ type: 'apply', id: 2, values: {}, ports: [] })).toEqual({});
  });
});
