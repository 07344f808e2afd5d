/**
 * What a replay says is so: of requests that a log has in full, what the reference matcher finds in both configurations; and of those of
 * which it lacks something, only what is so whatever they had.
 */
import { describe, expect, it } from '@jest/globals';
import fc from 'fast-check';
import { Outcomes } from '../../gateway-runtime/diff/outcome.ts';
import { evaluate } from '../../gateway-runtime/match/reference.ts';
import { FORMATS } from '../../gateway-runtime/replay/formats/index.ts';
import { Replay, TOO_MANY } from '../../gateway-runtime/replay/replay.ts';
import type { Reached } from '../../gateway-runtime/replay/side.ts';
import type { ReplayTotals } from '../../gateway-runtime/replay/totals.ts';
import { type Change, changeBetween } from '../../gateway-runtime/replay/verdict.ts';
import type { Snapshot } from '../../gateway-runtime/snapshot/snapshot.ts';
import {
  editCase,
  edited,
  gatewayCase,
  type RequestCase,
  requestCase,
  requestOf,
  snapshotOfCase,
} from './generators-match.ts';
import { regex } from './regex-once.ts';

const FORMAT = FORMATS.find(({ name }) => name === 'gatewright')!;
const NAMES = { headers: ['x', 'y'], query: ['p', 'q'] };
const CHANGES = ['unchanged', 'lost', 'moved', 'altered', 'new', 'undecided'] as const;
type Said = (typeof CHANGES)[number];

/** Each rule has a backend of its own, so that another rule is another outcome. */
const withBackends = (snapshot: Snapshot): Snapshot => ({
  ...snapshot,
  resources: snapshot.resources.map((each) =>
    each.type === 'http-rule'
      ? { ...each, backends: [{ weight: 1, name: `Service ${each.key}`, backend: each.key, filters: [] }] }
      : each,
  ),
});

function reached(snapshot: Snapshot, request: RequestCase): Reached {
  const { port, serverName } = request;
  const at = port === 443 && serverName !== undefined ? { port, serverName } : { port };
  const { winner, status, listener } = evaluate(snapshot, at, requestOf(request), regex);
  if (winner) return { outcome: new Outcomes(snapshot).of(winner.rule, winner.match), rule: winner.rule };
  const none = { target: '', text: '', backends: [], filters: [], limits: [], errors: 1 };
  return { outcome: { ...none, key: `${status} ${listener?.key}`, status: status! } };
}

const expectedOf = (from: Snapshot, against: Snapshot, request: RequestCase): Change =>
  changeBetween(reached(from, request), reached(against, request));

/** As the gateway logs it, without what is in `missing`. */
function lineOf(request: RequestCase, missing: ReadonlySet<string>): string {
  const { port, host, method, path, query, headers, serverName } = request;
  const parameters = new URLSearchParams(`&${query}`);
  const known = (names: readonly string[], inRequest: (name: string) => string | null) =>
    Object.fromEntries(names.filter((name) => !missing.has(name)).map((name) => [name, inRequest(name)]));
  return JSON.stringify({
    gateway: 'infra/gw',
    port,
    scheme: port === 443 ? 'https' : 'http',
    method,
    host,
    path,
    status: 200,
    ...(port === 443 && serverName !== undefined && serverName !== host ? { serverName } : {}),
    matched: {
      headers: known(NAMES.headers, (name) => headers[name] ?? null),
      query: known(NAMES.query, (name) => parameters.get(name)),
    },
  });
}

/** One replay, asked line by line. */
class Asked {
  readonly #replay: Replay;
  last: ReplayTotals;

  constructor(from: Snapshot, against: Snapshot) {
    const of = (snapshot: Snapshot) => new Map([['infra/gw', snapshot]]);
    this.#replay = new Replay({ format: FORMAT, from: of(from), against: of(against), regex });
    this.last = this.#replay.result;
  }

  said(line: string): Said {
    const before = this.last;
    this.#replay.line(line);
    this.last = this.#replay.result;
    return CHANGES.find((each) => this.last[each] > before[each])!;
  }
}

const pair = fc
  .tuple(gatewayCase, fc.array(editCase, { minLength: 1, maxLength: 3 }))
  .map(([gateway, edits]) => [gateway, edits.reduce(edited, gateway)] as const);
/** The path is logged as it was matched. */
const requests = fc.array(requestCase, { minLength: 1, maxLength: 20, size: 'max' });

describe('a replay', () => {
  it('says of requests that are logged in full what the reference matcher finds', () => {
    const seen = new Map<Said, number>();
    fc.assert(
      fc.property(pair, requests, ([one, other], all) => {
        const [from, against] = [withBackends(snapshotOfCase(one)), withBackends(snapshotOfCase(other))];
        const asked = new Asked(from, against);
        for (const request of all) {
          const expected = expectedOf(from, against, request);
          expect(asked.said(lineOf(request, new Set()))).toBe(expected);
          seen.set(expected, (seen.get(expected) ?? 0) + 1);
        }
      }),
      { numRuns: 150 },
    );
    expect(['unchanged', 'lost', 'moved', 'new'].filter((each) => !seen.has(each as Said))).toEqual([]);
  });

  it('says of others only what is so whatever they had', () => {
    let undecided = 0;
    let decided = 0;
    const missing = fc.subarray(['x', 'y', 'p', 'q'], { minLength: 1 }).map((names) => new Set(names));
    fc.assert(
      fc.property(pair, requests, requests, missing, ([one, other], all, donors, names) => {
        const [from, against] = [withBackends(snapshotOfCase(one)), withBackends(snapshotOfCase(other))];
        const asked = new Asked(from, against);
        for (const request of all) {
          const verdict = asked.said(lineOf(request, names));
          if (verdict === 'undecided') {
            undecided++;
            continue;
          }
          decided++;
          for (const donor of donors) {
            expect(verdict).toBe(expectedOf(from, against, withValuesOf(request, donor, names)));
          }
        }
      }),
      { numRuns: 150 },
    );
    expect(undecided).toBeGreaterThan(0);
    expect(decided).toBeGreaterThan(undecided);
  });

  it('is not undecided for values where nothing changes, however many rules ask for them', () => {
    const missing = new Set(['x', 'y', 'p', 'q']);
    let decided = 0;
    fc.assert(
      fc.property(gatewayCase, requests, (gateway, all) => {
        const snapshot = withBackends(snapshotOfCase(gateway));
        const asked = new Asked(snapshot, snapshot);
        for (const request of all) asked.said(lineOf(request, missing));
        const { unchanged, undecided, undecidedFor } = asked.last;
        decided += unchanged;
        expect(unchanged + undecided).toBe(all.length);
        expect(undecidedFor.filter((each) => each.missing !== TOO_MANY)).toEqual([]);
      }),
      { numRuns: 150 },
    );
    expect(decided).toBeGreaterThan(150);
  });
});

/** The request with those values of another one that the log of it lacks. */
function withValuesOf(request: RequestCase, donor: RequestCase, names: ReadonlySet<string>): RequestCase {
  const headers = Object.fromEntries(
    NAMES.headers.flatMap((name) => {
      const value = (names.has(name) ? donor : request).headers[name];
      return value === undefined ? [] : [[name, value]];
    }),
  );
  const query = NAMES.query
    .flatMap((name) => {
      const value = new URLSearchParams(`&${(names.has(name) ? donor : request).query}`).get(name);
      return value === null ? [] : [`${name}=${encodeURIComponent(value)}`];
    })
    .join('&');
  return { ...request, headers, query };
}

describe('the readers of lines', () => {
  const words = ['"', '\\', '\\x', '[', ']', '- ', ' ', '{', '}', ':', ',', 'GET / HTTP/1.1', '200', '\0'];
  const noise = fc.array(fc.oneof(fc.constantFrom(...words), fc.string({ maxLength: 8 })), { maxLength: 30 });

  it.each(FORMATS.map((each) => [each.name, each] as const))('of %s never throw', (_, format) => {
    const json = fc.json().map((text) => `{"gateway":"a/b","status":200,"method":"GET","host":${text}}`);
    fc.assert(
      fc.property(
        fc.oneof(
          noise.map((parts) => parts.join('')),
          json,
        ),
        (line) => {
          const found = format.read(line);
          if (!('method' in found)) return;
          expect(found.method).toMatch(/^[!-~]+$/);
          expect(typeof found.target).toBe('string');
        },
      ),
      { numRuns: 500 },
    );
  });

  it('read a long line in a time that grows with it alone', () => {
    for (const { read } of FORMATS) {
      for (const piece of ['"', '\\', '[', '- ', ' "', '\\"', '] "', 'a - [']) {
        const begun = performance.now();
        read(piece.repeat(65_536 / piece.length));
        read(`a - ${piece.repeat(65_000 / piece.length)}`);
        // Milliseconds; what is quadratic takes minutes.
        expect(performance.now() - begun).toBeLessThan(5_000);
      }
    }
  });

  it('of nginx reads back what was written', () => {
    const text = fc.string({ unit: fc.constantFrom('a', '"', '\\', ' ', '\u0001', '-', '[', ']', '/') });
    fc.assert(
      fc.property(text, (agent) => {
        const escaped = agent.replace(
          /["\\]|\p{Cc}/gu,
          (each) => `\\x${each.charCodeAt(0).toString(16).toUpperCase().padStart(2, '0')}`,
        );
        const line = `10.0.0.1 - - [15/Apr/2026:20:17:00 +0000] "GET /a HTTP/1.1" 200 1 "-" "${escaped}"`;
        const found = FORMATS.find(({ name }) => name === 'nginx')!.read(line);
        expect('headers' in found && found.headers.get('user-agent')).toBe(agent === '-' ? null : agent);
      }),
    );
  });
});
