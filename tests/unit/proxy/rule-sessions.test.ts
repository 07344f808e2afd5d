import { describe, expect, it } from '@jest/globals';
import {
  cookiePath,
  RequestSession,
  RuleSessions,
} from '../../../gateway-runtime/proxy/sessions/rule-sessions.ts';
import { SessionKeys } from '../../../gateway-runtime/proxy/sessions/session-keys.ts';
import { Upstreams } from '../../../gateway-runtime/proxy/upstream/upstreams.ts';
import type { PathMatch, RuleSession } from '../../../gateway-runtime/snapshot/snapshot.ts';
import { backendKey, to } from '../../support/gateway.ts';
import { rule } from '../match/snapshots.ts';

const SECRET = Buffer.alloc(32, 1).toString('base64url');
const OTHER = Buffer.alloc(32, 2).toString('base64url');
const KEY = backendKey('a');
const ROOT: PathMatch = { type: 'PathPrefix', value: '/' };

const upstreams = new Upstreams();
upstreams.putEndpoints(KEY, { backend: KEY, endpoints: [{ address: '10.0.0.1', port: 80 }] });
const endpoint = upstreams.next(KEY)!;

function sessionsOf(session: RuleSession, keys = new SessionKeys([SECRET]), path = ROOT) {
  const made = rule({ rest: { session, backends: [to('a')] } });
  return new RuleSessions(made, path, [{ backend: KEY }], keys);
}

const asking = (name: string, value: string) => ({
  method: 'GET',
  host: '',
  path: '/',
  query: '',
  header: (asked: string) => (asked === name ? value : undefined),
});

/** The fields that a response gets, as `name: value`. */
function marked(
  sessions: ReturnType<typeof sessionsOf>,
  session: RequestSession,
  now: number,
  isSecure = false,
) {
  const fields: string[] = [];
  const add = (name: string, value: string) => void fields.push(`${name}: ${value}`);
  const head = { get: () => undefined, set: add, add, remove: () => {} };
  sessions.mark(head, session, KEY, endpoint, isSecure, now);
  return fields;
}

const tokenIn = (field: string) => /S=([\w-]+)/.exec(field)![1]!;

describe('a session', () => {
  it('is over when its time is, whatever the cookie says', () => {
    const sessions = sessionsOf({ type: 'Cookie', name: 'S', lifetime: 1_000 });
    const [field] = marked(sessions, new RequestSession(), 5_000);
    const request = asking('cookie', `S=${tokenIn(field!)}`);
    expect(sessions.find(request, 5_999)).toMatchObject({ address: '10.0.0.1', port: 80, expires: 6_000 });
    expect(sessions.find(request, 6_000)).toBeNull();
  });

  it('is given a new cookie, and no more time, where its key is on its way out', () => {
    const keys = new SessionKeys([SECRET]);
    const sessions = sessionsOf({ type: 'Cookie', name: 'S', lifetime: 1_000 }, keys);
    const [before] = marked(sessions, new RequestSession(), 5_000);
    keys.replace([OTHER, SECRET]);
    const shown = sessions.find(asking('cookie', `S=${tokenIn(before!)}`), 5_500)!;
    const [after] = marked(sessions, new RequestSession(shown, endpoint), 5_500);
    expect(sessions.find(asking('cookie', `S=${tokenIn(after!)}`), 5_999)).toMatchObject({
      expires: 6_000,
      isOld: false,
    });
    expect(marked(sessions, new RequestSession({ ...shown, isOld: false }, endpoint), 5_500)).toEqual([]);
  });

  it('lasts in the browser where it is to outlive it', () => {
    const [field] = marked(
      sessionsOf({ type: 'Cookie', name: 'S', lifetime: 1_500, isPermanent: true }),
      new RequestSession(),
      0,
      true,
    );
    expect(field).toMatch(/^Set-Cookie: S=[\w-]+; Path=\/; Max-Age=2; HttpOnly; SameSite=Strict; Secure$/);
  });

  it('is found among cookies, of which not all are tried', () => {
    const sessions = sessionsOf({ type: 'Cookie', name: 'S' });
    const token = tokenIn(marked(sessions, new RequestSession(), 0)[0]!);
    const find = (cookies: string) => sessions.find(asking('cookie', cookies), 0);
    for (const found of [
      `S=${token}`,
      `a=1; S=${token}`,
      `a=1;S=${token};b=2`,
      `S=x; S=y; S=z; S=${token}`,
    ]) {
      expect(find(found)).toMatchObject({ port: 80 });
    }
    // Two fields of one name, as they are joined.
    expect(find(`a=1, S=${token}`)).toMatchObject({ port: 80 });
    for (const wrong of [`S=1; S=2; S=3; S=4; S=${token}`, `S=${token}x`, `S="${token}"`]) {
      expect(find(wrong)).toBeNull();
    }
    for (const none of ['', 'a=1', `XS=${token}`, `S =${token}`]) expect(find(none)).toBeUndefined();
    expect(sessions.find(asking('x', ''), 0)).toBeUndefined();
  });

  it('costs no more than a few looks, however much is shown', () => {
    const sessions = sessionsOf({ type: 'Cookie', name: 'S' });
    const began = performance.now();
    expect(sessions.find(asking('cookie', 'S='.repeat(32_000)), 0)).toBeNull();
    expect(sessions.find(asking('cookie', 'S=1; '.repeat(12_000)), 0)).toBeNull();
    expect(performance.now() - began).toBeLessThan(1_000);
  });
});

describe('the path of a cookie', () => {
  it.each<[PathMatch['type'], string, string]>([
    ['PathPrefix', '/', '/'],
    ['PathPrefix', '/a/b', '/a/b'],
    ['Exact', '/a/b', '/a/b'],
    ['PathPrefix', '/a/b;c/d', '/a'],
    ['PathPrefix', '/a;b', '/'],
    ['RegularExpression', '/p1/p2/.*/p3', '/p1/p2'],
    ['RegularExpression', '^/p1/p2/[^/]+/p3$', '/p1/p2'],
    ['RegularExpression', '/p1/p2?', '/p1'],
    ['RegularExpression', '/p1.json', '/'],
    ['RegularExpression', '/exact/path$', '/exact/path'],
    ['RegularExpression', '/a|/b', '/'],
    ['RegularExpression', '(?i)/a/b', '/'],
    ['RegularExpression', '.*', '/'],
  ])('of %s %s is %s', (type, value, path) => {
    expect(cookiePath({ type, value })).toBe(path);
  });
});
