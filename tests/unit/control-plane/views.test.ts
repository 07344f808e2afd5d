import { beforeEach, describe, expect, it } from '@jest/globals';
import type { ReplicaView } from '../../../gateway-runtime/control/distribution-view.ts';
import { HERE, Views } from '../../../gateway-runtime/control-plane/views.ts';

const GATEWAY = { namespace: 'infra', name: 'edge' };

const view = (replica: string, since: number, connected = true): ReplicaView => ({
  replica,
  connected,
  since,
  ready: true,
  diagnostics: [],
});

describe('views of data planes', () => {
  let now = 0;
  let changes = 0;
  let views: Views;

  beforeEach(() => {
    now = 1_000;
    changes = 0;
    views = new Views(
      () => changes++,
      () => now,
    );
  });

  it('are those of where each is connected', () => {
    views.put(HERE, GATEWAY, view('a', 1));
    views.put('other', GATEWAY, view('b', 2));
    // It went from here to the other one, and the word of the loss comes late.
    views.put('other', GATEWAY, view('a', 5));
    views.put(HERE, GATEWAY, view('a', 6, false));
    expect(views.of(GATEWAY)).toEqual([view('a', 5), view('b', 2)]);
    expect(views.of({ ...GATEWAY, name: 'none' })).toEqual([]);
    expect(changes).toBe(4);
  });

  it('are of the newer stream, where both ends think it stands', () => {
    views.put(HERE, GATEWAY, view('a', 1));
    views.put('other', GATEWAY, view('a', 5));
    expect(views.of(GATEWAY)).toEqual([view('a', 5)]);
  });

  it('are lost with a replica that is, as of then', () => {
    views.put(HERE, GATEWAY, view('a', 1));
    views.put('other', GATEWAY, view('b', 2));
    views.put('other', GATEWAY, view('c', 2, false));
    views.lost('other');
    expect(views.of(GATEWAY)).toEqual([view('a', 1), view('b', 1_000, false), view('c', 2, false)]);
    expect([...views.connectedTo(HERE)]).toEqual([[GATEWAY, view('a', 1)]]);
    expect([...views.connectedTo('other')]).toEqual([]);
  });

  it('are forgotten once nothing depends on them', () => {
    views.put(HERE, GATEWAY, view('a', 1));
    views.put('other', GATEWAY, view('b', 1_000, false));
    now = 30_000;
    views.forget();
    expect(views.of(GATEWAY)).toHaveLength(2);
    now = 31_001;
    views.forget();
    expect(views.of(GATEWAY)).toEqual([view('a', 1)]);
  });

  it('of a Gateway that is gone do not count for one of the same name', () => {
    views.put(HERE, GATEWAY, view('lost', 1, false));
    views.put(HERE, GATEWAY, view('here', 2));
    views.put('other', GATEWAY, view('there', 3));
    views.gone('infra/edge');
    // Its streams end, here and at the other replicas, before or after the new one is there.
    views.put(HERE, GATEWAY, view('here', 1_000, false));
    views.put('other', GATEWAY, view('there', 1_001, false));
    expect(views.of(GATEWAY)).toEqual([]);
    views.put(HERE, GATEWAY, view('here', 1_500));
    views.put('other', GATEWAY, view('there', 1_600));
    views.put('other', GATEWAY, view('there', 1_700, false));
    expect(views.of(GATEWAY)).toEqual([view('here', 1_500), view('there', 1_700, false)]);
  });

  it('of a Gateway that another replica saw come back before it went here count', () => {
    views.put('other', GATEWAY, view('a', 1));
    views.put('other', GATEWAY, view('a', 900, false));
    views.put('other', GATEWAY, view('a', 950));
    views.gone('infra/edge');
    expect(views.of(GATEWAY)).toEqual([view('a', 950)]);
  });

  it('of a Gateway that is gone tell of no other', () => {
    views.put(HERE, GATEWAY, view('a', 1, false));
    views.gone('infra/other');
    expect(views.of(GATEWAY)).toEqual([view('a', 1, false)]);
  });
});
