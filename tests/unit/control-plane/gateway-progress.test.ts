import { describe, expect, it } from '@jest/globals';
import type { ReplicaView } from '../../../gateway-runtime/control/distribution-view.ts';
import { GatewayProgress } from '../../../gateway-runtime/control-plane/gateway-progress.ts';

const state = (sequence: number, version = `v${sequence}`) => ({ order: { epoch: 1, sequence }, version });

const acked = (sequence: number, version = `v${sequence}`, refused?: string): ReplicaView => ({
  replica: `r-${sequence}`,
  connected: true,
  since: 0,
  ready: true,
  acked: state(sequence, version),
  ...(refused ? { refused } : {}),
  diagnostics: [],
});

const silent: ReplicaView = { replica: 'new', connected: true, since: 0, ready: false, diagnostics: [] };

/** Published as 1, 2 and 3, with an object that waits for each of the last two. */
function progress(): GatewayProgress {
  const made = new GatewayProgress(state(1), 0);
  made.publish(state(2), 10);
  made.wait('second');
  made.publish(state(3), 20);
  made.wait('third');
  return made;
}

describe('what waits for data planes', () => {
  it('is free once all of them serve it', () => {
    const made = progress();
    expect(made.review([acked(3), acked(1)], 30)).toEqual([]);
    expect(made.review([acked(3), acked(2)], 30)).toEqual(['second']);
    expect(made.review([acked(3), acked(3)], 30)).toEqual(['third']);
    expect(made.waiting).toEqual([]);
  });

  it('is not free while there is none, or one that has said nothing', () => {
    const made = progress();
    expect(made.review([], 30)).toEqual([]);
    expect(made.review([acked(3), silent], 30)).toEqual([]);
    expect(made.review([acked(3), { ...acked(3), connected: false, since: 30 }], 40)).toEqual([
      'second',
      'third',
    ]);
  });

  it('is free where another replica of the control plane is ahead of us', () => {
    expect(progress().review([acked(9, 'unknown')], 30)).toEqual(['second', 'third']);
  });

  it('is not free by the number of a state alone: what it holds can be what we had before', () => {
    expect(progress().review([acked(9, 'v1')], 30)).toEqual([]);
  });

  it('is not free where it is refused', () => {
    expect(progress().review([acked(2, 'v2', 'v3')], 30)).toEqual(['second']);
    expect(progress().review([acked(9, 'unknown', 'v3')], 30)).toEqual(['second']);
  });

  it('is free at once where what was before is there again', () => {
    const made = progress();
    made.publish(state(4, 'v1'), 30);
    made.wait('fourth');
    expect(made.review([acked(1, 'v1')], 30)).toEqual(['second', 'third', 'fourth']);
  });

  it('is not asked for any more where it is forgotten', () => {
    const made = progress();
    made.forget('second');
    expect(made.review([acked(3)], 30)).toEqual(['third']);
  });
});

describe('data planes are behind', () => {
  it('from when something was published that they do not serve', () => {
    const made = progress();
    made.review([acked(3)], 30);
    expect(made.behindSince).toBeUndefined();
    made.publish(state(4), 40);
    made.publish(state(5), 50);
    made.review([acked(3)], 60);
    expect(made.behindSince).toBe(40);
  });

  it('not for long, where they keep up with publications that come without a pause', () => {
    const made = progress();
    for (let sequence = 4; sequence < 100; sequence++) {
      made.publish(state(sequence), sequence * 10);
      made.review([acked(sequence - 1)], sequence * 10 + 5);
      expect(sequence * 10 - made.behindSince!).toBeLessThanOrEqual(20);
    }
  });

  it('not while there are none', () => {
    const made = progress();
    made.review([], 30);
    expect(made.behindSince).toBeUndefined();
    made.review([silent], 9_000);
    expect(made.behindSince).toBe(9_000);
  });
});
