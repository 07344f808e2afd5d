/** The cases of this folder, and every edit of `tests/cases`: what a comparison says, and that each witness shows it. */
import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, it } from '@jest/globals';
import { parse } from 'yaml';
import type { RawObject } from '../../gateway-runtime/api/object.ts';
import { diff } from '../../gateway-runtime/diff/diff.ts';
import type { Region, Witness } from '../../gateway-runtime/diff/region.ts';
import { type ReportedRegion, reported } from '../../gateway-runtime/diff/report.ts';
import { explain } from '../../gateway-runtime/explain/explain.ts';
import { formatExample } from '../../gateway-runtime/snapshot/diagnostic.ts';
import type { Snapshot } from '../../gateway-runtime/snapshot/snapshot.ts';
import { translate } from '../../gateway-runtime/translate/translate.ts';
import { parseCase } from '../cases-runner/case.ts';
import { loadCases, makeCase, optionsOf, readFragment } from '../cases-runner/load.ts';
import { regex } from '../property/regex-once.ts';

interface DiffCase {
  readonly about: string;
  readonly use?: string[];
  readonly objects?: RawObject[];
  readonly authorities?: Record<string, string>;
  readonly certificates?: Record<string, string[]>;
  readonly edit: object;
  readonly regions: string[];
  readonly witnesses?: string[];
}

type Snapshots = ReadonlyMap<string, Snapshot>;

const cases = readdirSync(import.meta.dirname)
  .filter((file) => file.endsWith('.yaml'))
  .sort()
  .map((file) => ({
    name: file.replace('.yaml', ''),
    form: parse(readFileSync(join(import.meta.dirname, file), 'utf8')) as DiffCase,
  }));

function inLine({
  severity,
  requests,
  extents,
  before,
  after,
  possible,
  authors,
  touched,
}: ReportedRegion): string {
  const hosts = [...new Set(extents.flatMap((each) => each.hosts))].join(', ');
  const without = [...new Set(extents.flatMap((each) => each.without))].join(', ');
  return [
    ...(possible ? ['possible'] : []),
    severity,
    hosts,
    requests ?? 'all',
    ...(without ? [`without ${without}`] : []),
  ]
    .join(' ')
    .concat(
      `: ${before.text} -> ${after.text}`,
      authors.length > 0 ? `; by ${authors.join(', ')}` : '',
      touched.length > 0 ? `; touches ${touched.join(', ')}` : '',
    );
}

function wrongWitnesses(before: Snapshots, after: Snapshots, regions: readonly Region[]): string[] {
  return regions.flatMap(({ witness, gateway, before: was, after: is }) => {
    // Of what is trusted, and of sessions, an explanation says no more than their names.
    const isHidden =
      was.outcome.text === is.outcome.text && was.outcome.limits.join() === is.outcome.limits.join();
    if (!witness || isHidden) return [];
    const [one, other] = [before, after].map((side) => answer(side.get(gateway), witness));
    return one === other ? [`${witness.host}${witness.path}: ${was.outcome.text} -> ${is.outcome.text}`] : [];
  });
}

function answer(snapshot: Snapshot | undefined, witness: Witness): string {
  if (!snapshot) return 'no Gateway';
  const { method, host, path, query, headers, port, tls, serverName, withoutCertificate } = witness;
  const fields = new Map(headers);
  const request = { method, host, path, query, header: (name: string) => fields.get(name) };
  const at = {
    port,
    tls,
    clientCertificate: !withoutCertificate,
    ...(serverName === undefined ? {} : { serverName }),
  };
  const { summary, status, filters, reply, forwarded, backends, limits, session, listeners } = explain(
    snapshot,
    at,
    request,
    regex,
  );
  const shown = status === undefined || status < 400 ? '' : summary;
  const [listener] = listeners;
  const handshake = snapshot.resources.flatMap((each) =>
    each.type === 'listener' && each.source.listener === listener?.listener
      ? [each.certificates, each.minTlsVersion]
      : [],
  );
  return JSON.stringify([status, shown, filters, reply, forwarded, backends, limits, session, handshake]);
}

describe('a comparison says', () => {
  it.each(cases)('$name', ({ form }) => {
    const { about, use = [], objects = [], edit, regions, witnesses } = form;
    const text = JSON.stringify({
      about,
      spec: about,
      use,
      objects,
      ...(form.authorities ? { authorities: form.authorities } : {}),
      ...(form.certificates ? { certificates: form.certificates } : {}),
      edits: [{ about, ...edit, requests: [{ request: 'GET http://x.example/', answer: 404 }] }],
      requests: [{ request: 'GET http://x.example/', answer: 404 }],
    });
    const made = makeCase(about, parseCase(about, text), readFragment);
    const [before, after] = made.steps.map((step) => translate(step.objects, optionsOf(made)).snapshots) as [
      Snapshots,
      Snapshots,
    ];
    const found = diff(before, after, { regex });
    const shown = found.map((each) => reported(each));
    expect(shown.map(inLine)).toEqual(regions);
    if (witnesses)
      expect(shown.flatMap(({ witness }) => (witness ? [formatExample(witness)] : []))).toEqual(witnesses);
    expect(wrongWitnesses(before, after, found)).toEqual([]);
    expect(diff(after, after, { regex })).toEqual([]);
  });

  it('of every edit of tests/cases what each witness shows', () => {
    let regions = 0;
    const wrong = loadCases().flatMap((made) => {
      const worlds = made.steps.map((step) => translate(step.objects, optionsOf(made)).snapshots);
      return worlds.slice(1).flatMap((after, index) => {
        const before = worlds[index]!;
        return [diff(before, after, { regex }), diff(after, before, { regex })].flatMap((found, way) => {
          regions += found.length;
          const sides = way === 0 ? ([before, after] as const) : ([after, before] as const);
          return wrongWitnesses(...sides, found).map((each) => `${made.name}, edit ${index + 1}: ${each}`);
        });
      });
    });
    expect(wrong).toEqual([]);
    expect(regions).toBeGreaterThan(50);
  });
});
