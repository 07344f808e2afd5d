/** What serving prints of routes with credentials: their names, never their values. */
import { describe, expect, it } from '@jest/globals';
import { curlFor } from '../../cli/show/curl.ts';
import { routeRows } from '../../cli/show/route-rows.ts';
import { trafficChanges } from '../../cli/show/traffic-changes.ts';
import { diffText } from '../../gateway-runtime/diff/text.ts';
import type { Snapshot } from '../../gateway-runtime/snapshot/snapshot.ts';
import { to } from '../support/gateway.ts';
import { listener, prefix, rule, snapshot } from '../unit/match/snapshots.ts';

const secretFilter = {
  type: 'RequestHeaderModifier',
  config: { set: [['Authorization', 'Bearer s3cret']], add: [['x-api-key', 's3cret']], remove: [] },
};
const given = snapshot(
  listener('web'),
  rule({
    matches: [
      {
        path: prefix('/cart'),
        headers: { authorization: 'Bearer s3cret', 'x-tier': 'gold' },
        query: { access_token: 's3cret', page: '1' },
      },
    ],
    rest: { filters: [secretFilter], backends: [to('cart', 1, [secretFilter])] },
  }),
);
const [row] = routeRows(given);

describe('credentials of routes', () => {
  it('are left out of the table', () => {
    expect(row!.match).toBe(
      '/cart/* authorization: [redacted] x-tier: gold ?access_token=[redacted] ?page=1',
    );
    const edits = '(request headers: sets Authorization: [redacted], adds x-api-key: [redacted])';
    expect(row!.target).toBe(`cart:80 ${edits} ${edits}`);
  });

  const changesOf = (before: Snapshot | undefined, after: Snapshot) =>
    trafficChanges(
      { gateways: [{ gateway: given.gateway, ...(before ? { before } : {}), after, diagnostics: [] }] },
      { originOf: () => undefined, ports: { local: (_, port) => port } },
    );
  const rehashed = (made: Snapshot, mark: string): Snapshot => ({
    ...made,
    version: mark,
    resources: made.resources.map((each) => ({ ...each, hash: `${each.hash} ${mark}` })),
  });

  it('and of what changed', () => {
    const gone = snapshot(listener('web'));
    const changes = changesOf(gone, given);
    expect(changes).toHaveLength(1);
    expect(JSON.stringify(changes)).not.toContain('s3cret');
    expect(diffText(changes).join('\n')).not.toContain('s3cret');
  });

  it('and that one changed is told, without it', () => {
    const filters = JSON.stringify(secretFilter);
    const edited = JSON.parse(
      JSON.stringify(given).replaceAll(filters, filters.replaceAll('s3cret', 'an0ther')),
    );
    const [change, ...others] = changesOf(given, rehashed(edited, 'edited'));
    expect(others).toEqual([]);
    expect(change!.after.text).toBe(`${change!.before.text}, with another credential or trusted certificate`);
    expect(JSON.stringify(change)).not.toMatch(/s3cret|an0ther/);
    expect(changesOf(given, rehashed(given, 'same'))).toEqual([]);
  });

  it('and are to be filled in in commands', () => {
    const command = curlFor(row!, { address: '127.0.0.1', localPort: () => 8080 })!;
    expect(command).toContain("-H 'authorization: <value>'");
    expect(command).toContain('x-tier: gold');
    expect(command).toContain('access_token=<value>&page=1');
    expect(command).not.toContain('s3cret');
  });
});
