import { describe, expect, it } from '@jest/globals';
import {
  type PodView,
  type ReplicaView,
  verdictOf,
} from '../../../gateway-runtime/control/distribution-view.ts';

const NOW = 1_000_000;
const at = (sequence: number, epoch = 1) => ({ epoch, sequence });
const wanted = { order: at(5), version: 'new' };
const view = (replica: string, fields: Partial<ReplicaView> = {}): ReplicaView => ({
  replica,
  connected: true,
  since: NOW - 60_000,
  ready: true,
  acked: { order: at(5), version: 'new' },
  diagnostics: [],
  ...fields,
});
const old = { acked: { order: at(4), version: 'old' } };
const pod = (name: string, fields: Partial<PodView> = {}): PodView => ({
  name,
  ready: true,
  since: NOW - 60_000,
  ...fields,
});
const lost = (ago: number) => ({ connected: false, since: NOW - ago });

const programmed = (...views: ReplicaView[]) => {
  const { status, reason, message } = verdictOf(wanted, views, [], NOW).programmed;
  return `${status}/${reason}: ${message}`;
};

describe('Programmed', () => {
  it('is False/NoReplicas where no data plane has a stream', () => {
    expect(programmed()).toMatch(/^False\/NoReplicas: /);
    expect(programmed(view('a', lost(15_000)))).toMatch(/^False\/NoReplicas: /);
  });

  it('is True where all that have one serve what is wanted', () => {
    expect(programmed(view('a'))).toBe('True/Programmed: 1 of 1 data plane serves the newest configuration');
    expect(programmed(view('a'), view('b'))).toBe(
      'True/Programmed: 2 of 2 data planes serve the newest configuration',
    );
  });

  it('counts the same content under an older order, and what another replica already knows', () => {
    expect(programmed(view('a', { acked: { order: at(2), version: 'new' } }))).toMatch(/^True/);
    expect(programmed(view('a', { acked: { order: at(6), version: 'newer' } }))).toMatch(/^True/);
    expect(programmed(view('a', { acked: { order: at(5), version: 'other' } }))).toMatch(/^False/);
  });

  it('is False/Pending while one has not said so, and leaves out those that are gone', () => {
    expect(programmed(view('a'), view('b', old))).toBe(
      'False/Pending: 1 of 2 data planes serve the newest configuration',
    );
    const { acked: _, ...silent } = view('b');
    expect(programmed(view('a'), silent)).toMatch(/^False\/Pending: 1 of 2/);
    expect(programmed(view('a'), view('b', { ...old, ...lost(20_000) }))).toMatch(
      /^True\/Programmed: 1 of 1/,
    );
  });

  it('says why where one refused it', () => {
    const object = { group: '', kind: 'Gateway', namespace: 'infra', name: 'gw' };
    const refused = view('b', {
      ...old,
      refused: 'new',
      diagnostics: [
        { severity: 'warning', code: 'a/b', object, message: 'not this' },
        { severity: 'error', code: 'a/b', object, message: 'http-rule.teleport: expected nothing' },
      ],
    });
    expect(programmed(view('a'), refused)).toBe(
      'False/Refused: 1 of 2 data planes serve it; it was refused: http-rule.teleport: expected nothing',
    );
    expect(programmed(view('a', { ...old, refused: 'an older one' }))).toMatch(/^False\/Pending/);
  });

  it('keeps still while a stream is on its way to another replica', () => {
    expect(programmed(view('a', lost(14_999)))).toMatch(/^True/);
  });
});

describe('DataPlaneStale', () => {
  const stale = (views: ReplicaView[], pods: PodView[]) => {
    const { stale, reconsider } = verdictOf(wanted, views, pods, NOW);
    return { status: stale.status, message: stale.message, reconsider };
  };

  it('is False while every ready pod is connected, or not for long not', () => {
    expect(stale([view('a')], [pod('a'), pod('b', { ready: false })])).toMatchObject({
      status: 'False',
      reconsider: undefined,
    });
    expect(stale([view('a', lost(5_000))], [pod('a')])).toMatchObject({
      status: 'False',
      reconsider: 10_000,
    });
    expect(stale([], [pod('a', { since: NOW - 1_000 })])).toMatchObject({
      status: 'False',
      reconsider: 14_000,
    });
  });

  it('is True where a ready one has had no stream for 15 s, and names it', () => {
    expect(stale([view('a', lost(15_000))], [pod('a')])).toEqual({
      status: 'True',
      message: 'they serve what they had 15 s ago or longer: a',
      reconsider: undefined,
    });
    const pods = Array.from({ length: 8 }, (_, index) => pod(`p${index}`));
    expect(stale([view('p0')], pods).message).toMatch(/: p1, p2, p3, p4, p5, and 2 more$/);
  });

  it('is told from the time at which it was lost, also where two replicas of the control plane saw it', () => {
    expect(stale([view('a', lost(40_000)), view('a')], [pod('a')]).status).toBe('False');
    expect(stale([view('a', lost(40_000)), view('a', lost(3_000))], [pod('a')])).toMatchObject({
      status: 'False',
      reconsider: 12_000,
    });
  });
});
