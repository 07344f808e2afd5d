/** How field rules are tested: rows of values that pass and values that don't, shared sets of values, and the test itself. */
import { describe, expect, it } from '@jest/globals';
import { parse } from '../../../gateway-runtime/api/kinds.ts';
import { type SampleKind, sampleWith } from './samples.ts';

export const long = (length: number) => 'x'.repeat(length);
export const many = <T>(length: number, make: (index: number) => T) =>
  Array.from({ length }, (_, i) => make(i));
export const REMOVED = undefined;

/** [field, values that pass, values that don't]; a value that doesn't pass may name the field of the problem itself. */
export type Row = [field: string, good: unknown[], bad: (unknown | { value: unknown; at: string })[]];
export const at = (field: string, value: unknown) => ({ value, at: field });

export const NOT_DNS_NAMES = ['', 'A', 'a_b', '-a', 'a-', 'a..b', '.a', 'a.', 'a b', 7];
export const OBJECT_NAMES: Row[1] = ['a', long(253)];
export const NOT_OBJECT_NAMES = ['', long(254), 7, null];
export const GROUPS = ['', 'example.com', long(253)];
export const NOT_GROUPS = ['Upper', 'a b', long(254), 7];
export const KINDS = ['Service', 'a', 'X-1'];
export const NOT_KINDS = ['', '9', '-a', 'a-', 'a b', long(64)];
export const NAMESPACES = ['a', 'a-1', long(63), REMOVED];
export const NOT_NAMESPACES = ['', 'A', 'a.b', '-a', long(64)];
export const PORTS = [1, 65535];
export const NOT_PORTS = [0, 65536, 1.5, '80', -1, Number.NaN];
export const HOSTNAMES = ['a', 'a.example', '*.example', '10.0.0.1'];
export const NOT_HOSTNAMES = [
  '',
  'A.example',
  'a.example.',
  'a.example:80',
  '*',
  '*.',
  'a.*.b',
  '**.a',
  '*a.b',
  'a/b',
  long(254),
];
export const HEADER_NAMES = ['a', 'X-Any_1', "!#$%&'*+-.^_`|~", long(256)];
export const NOT_HEADER_NAMES = ['', 'a b', 'a:', 'ä', 'a\n', long(257), ':path'];
export const HEADER_VALUES = ['a', 'a b\tc', '!~', long(4096)];
export const NOT_HEADER_VALUES = ['', ' a', 'a ', 'a  b', 'a\r\nb', 'ä', '\0', long(4097)];
export const DURATIONS = ['0s', '1h30m', '100ms', '99999s', '1h2m3s4ms', REMOVED];
export const NOT_DURATIONS = ['10', '1d', '-1s', '1.5s', '100000s', '1h1h1h1h1h', '', 10];
export const TIMES = ['1ms', '1h30m', '99999s'];
export const NOT_TIMES = ['0s', '0h0m', '10', '1d', '-1s', '1.5s', '', 10];
export const NETWORKS = [
  '0.0.0.0/0',
  '10.0.0.0/8',
  '192.0.2.1/32',
  '::/0',
  '2001:db8::/32',
  '::1/128',
  '1:0:0:2::/64',
];
export const NOT_NETWORKS = [
  ...['10.0.0.1/8', '10.0.0.0', '10.0.0.0/33', '10.0.0.0/08', '010.0.0.0/8', '10.0.0/8', '256.0.0.0/8'],
  ...['2001:DB8::/32', '2001:db8:0::/32', '2001:db8::1/32', '1::2::/16', '::/129', '::ffff:192.0.2.0/120'],
  ...['::ffff:0:0/96', '::ffff:0:0/95', 'fe80::%eth0/64', '1:0:0:2:0:0:0:0/64', ''],
];
/** Of what is granted below a path. */
export const NOT_GRANTED_PATHS = [
  ...['', 'a', '/a/', '//', '/a//b', '/.', '/..', '/a/../b', '/..;/b', '/a%20b', '/%2e%2e', '/a?b', '/é'],
];

export const objectRef = (field: string, namespace = true): Row[] => [
  [`${field}.group`, GROUPS, NOT_GROUPS],
  [`${field}.kind`, KINDS, NOT_KINDS],
  [`${field}.name`, OBJECT_NAMES, NOT_OBJECT_NAMES],
  ...(namespace ? [[`${field}.namespace`, NAMESPACES, NOT_NAMESPACES] as Row] : []),
];

interface Fault {
  readonly value: unknown;
  readonly at: string;
}
const isFault = (bad: unknown): bad is Fault =>
  typeof bad === 'object' && bad !== null && 'at' in bad && 'value' in bad;

const shown = (value: unknown) => (JSON.stringify(value) ?? 'nothing').slice(0, 60);

/** Puts each value into the sample of its kind: it passes, or the field at fault is named. */
export function testRows(kind: SampleKind, rows: readonly Row[]): void {
  describe(kind, () => {
    it.each(rows)('%s', (field, good, bad) => {
      for (const value of good) {
        const parsed = parse(sampleWith(kind, field, value));
        expect({ value: shown(value), parsed }).toMatchObject({
          value: shown(value),
          parsed: { outcome: 'known' },
        });
      }
      for (const each of bad) {
        const { value, at: fault } = isFault(each) ? each : { value: each, at: field };
        const parsed = parse(sampleWith(kind, field, value));
        const fields = parsed.outcome === 'invalid' ? parsed.problems.map((problem) => problem.field) : [];
        expect({ value: shown(value), fields }).toEqual({
          value: shown(value),
          fields: expect.arrayContaining([fault]),
        });
      }
    });
  });
}
