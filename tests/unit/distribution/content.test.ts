import { describe, expect, it } from '@jest/globals';
import {
  certificatesHash,
  checkedCertificate,
  checkedEndpoints,
  checkedResource,
  endpointsHash,
  versionAfter,
} from '../../../gateway-runtime/distribution/content.ts';
import {
  boundedDiagnostics,
  checkedControlMessage,
  checkedDataPlaneMessage,
} from '../../../gateway-runtime/distribution/messages.ts';
import { isOlder } from '../../../gateway-runtime/distribution/order.ts';
import { ADMIN_PORT, containerPort } from '../../../gateway-runtime/distribution/ports.ts';
import { re2 } from '../../../gateway-runtime/regex/re2.ts';
import type { Diagnostic } from '../../../gateway-runtime/snapshot/diagnostic.ts';
import { snapshotOf } from '../../../gateway-runtime/snapshot/difference.ts';
import { translate } from '../../../gateway-runtime/translate/translate.ts';
import { loadCases } from '../../cases-runner/load.ts';
import { issue } from '../../support/certificates.ts';
import { listener, rule } from '../match/snapshots.ts';

const sent = <T>(value: T): T => JSON.parse(JSON.stringify(value)) as T;

describe('content', () => {
  it('that translate gives for any case is taken as it is', () => {
    let resources = 0;
    for (const { steps, form } of loadCases(undefined)) {
      const classes = form.classes ? { classes: form.classes } : {};
      for (const { objects } of steps) {
        const { snapshots, endpoints, certificates } = translate(objects, { regex: re2, ...classes });
        for (const snapshot of snapshots.values()) {
          const taken = snapshot.resources.map((each) => checkedResource(sent(each)));
          expect(taken).toEqual(snapshot.resources);
          expect(versionAfter(undefined, [], taken)).toBe(snapshot.version);
          resources += taken.length;
        }
        for (const each of endpoints.values()) expect(checkedEndpoints(sent(each))).toEqual(each);
        for (const each of certificates.values()) expect(checkedCertificate(sent(each))).toEqual(each);
      }
    }
    expect(resources).toBeGreaterThan(500);
  });

  it('of an unknown type, with a field too many or too few, or with a wrong value, is refused by name', () => {
    const good = rule();
    const refused = (value: unknown) => {
      try {
        checkedResource(value);
        return 'taken';
      } catch (error) {
        return (error as Error).message;
      }
    };
    expect(refused(good)).toBe('taken');
    expect(refused({ ...good, type: 'grpc-rule' })).toMatch(/^resource\.type: expected one of listener, /);
    expect(refused({ ...good, type: '__proto__' })).toMatch(/^resource\.type/);
    expect(refused(null)).toMatch(/^resource\.type/);
    expect(refused({ ...good, timeout: 1 })).toMatch(/^http-rule\.timeout: expected/);
    expect(refused({ ...good, timeouts: { request: -1 } })).toMatch(
      /^http-rule\.timeouts\.request: expected/,
    );
    expect(refused({ ...good, retry: { codes: [200], attempts: 1, backoff: 0 } })).toMatch(
      /^http-rule\.retry\.codes\[0\]: expected/,
    );
    expect(refused({ ...good, retry: { codes: [], attempts: 1 } })).toMatch(
      /^http-rule\.retry\.backoff: expected/,
    );
    expect(refused({ ...good, matches: [] })).toBe('http-rule.matches: expected at least 1 entries');
    expect(refused({ ...good, hash: 'x' })).toMatch(/^http-rule\.hash/);
    const { parents: _, ...without } = good;
    expect(refused(without)).toBe('http-rule.parents: expected a list');
    expect(refused({ ...listener('web'), port: 0 })).toMatch(/^listener\.port/);
  });

  it('with a key in it is never quoted', () => {
    const bundle = issue('infra/cert', ['a.example.com']);
    for (const wrong of [
      { ...bundle, hash: '0'.repeat(64) },
      { ...bundle, privateKey: [bundle.privateKey] },
    ]) {
      expect(() => checkedCertificate(wrong)).toThrow(/^certificate\.(hash|privateKey): expected [a-z ]+$/);
    }
  });

  it('has hashes that do not depend on its order', () => {
    const [a, b] = ['a', 'b'].map((name) => issue(`infra/${name}`, ['a.example.com'])) as [never, never];
    expect(certificatesHash([a, b])).toBe(certificatesHash([b, a]));
    expect(certificatesHash([a])).not.toBe(certificatesHash([b]));
    const place = (port: number) => ({
      backend: 'backend/a/b/80',
      endpoints: [{ address: '10.0.0.1', port }],
    });
    expect(endpointsHash([place(1)])).toBe(endpointsHash([place(1)]));
    expect(endpointsHash([place(1)])).not.toBe(endpointsHash([place(2)]));
  });

  it('has a version that differences lead to as well', () => {
    const id = { namespace: 'infra', name: 'gw' };
    const [a, b, c] = [rule({ route: 'x/a' }), rule({ route: 'x/b' }), rule({ route: 'x/c' })];
    const before = snapshotOf(id, [a, b]);
    expect(versionAfter(before.version, [a], [c])).toBe(snapshotOf(id, [b, c]).version);
  });
});

describe('messages', () => {
  it('of another type, or for the other side, are refused', () => {
    const commit = { type: 'commit', order: { epoch: 1, sequence: 1 }, whole: [] };
    expect(checkedControlMessage(commit)).toEqual(commit);
    expect(() => checkedDataPlaneMessage(commit)).toThrow(/^type: expected one of hello, /);
    for (const value of [null, 1, 'commit', [], {}, { type: 'constructor' }, { type: ['commit'] }]) {
      expect(() => checkedControlMessage(value)).toThrow(/^type: /);
    }
    for (const order of [
      { epoch: -1, sequence: 1 },
      { epoch: 0.5, sequence: 1 },
      { epoch: 2 ** 60, sequence: 1 },
    ]) {
      expect(() => checkedControlMessage({ ...commit, order })).toThrow(/^commit\.order\.epoch/);
    }
    expect(() => checkedControlMessage({ ...commit, more: 1 })).toThrow(/^commit\.more/);
  });

  it('hold as many diagnostics as fit, and always such as the other side takes', () => {
    const object = { group: 'g', kind: 'Gateway', namespace: 'infra', name: 'gw' };
    const long = 'x'.repeat(100_000);
    const all = Array.from(
      { length: 500 },
      (): Diagnostic => ({
        severity: 'error',
        code: 'a/b',
        object,
        field: long,
        message: long,
        fix: long,
      }),
    );
    const diagnostics = boundedDiagnostics(all, 100);
    const answer = { type: 'nack', order: { epoch: 1, sequence: 1 }, version: '', diagnostics };
    expect(checkedDataPlaneMessage(sent(answer))).toEqual(answer);
    expect(diagnostics).toHaveLength(100);
    expect(JSON.stringify(answer).length).toBeLessThan(1024 * 1024);
  });
});

describe('order', () => {
  it('is that of epochs, and of sequences within one', () => {
    const at = (epoch: number, sequence: number) => ({ epoch, sequence });
    expect(isOlder(at(1, 9), at(2, 1))).toBe(true);
    expect(isOlder(at(2, 1), at(1, 9))).toBe(false);
    expect(isOlder(at(2, 1), at(2, 2))).toBe(true);
    expect(isOlder(at(2, 2), at(2, 2))).toBe(false);
  });
});

describe('container ports', () => {
  it('need no rights, and do not meet below 64512', () => {
    const bound = new Set([ADMIN_PORT]);
    const wrong: number[] = [];
    for (let port = 1; port < 64_512; port++) {
      const number = containerPort(port);
      if (number < 1024 || number > 65_535 || bound.has(number)) wrong.push(port);
      bound.add(number);
    }
    expect(wrong).toEqual([]);
  });
});
