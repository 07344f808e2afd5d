/** What serving prints of routes with credentials: their names, never their values. */
import { describe, expect, it } from '@jest/globals';
import { curlFor } from '../../cli/show/curl.ts';
import { routeRows } from '../../cli/show/route-rows.ts';
import { trafficChanges } from '../../cli/show/traffic-changes.ts';
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

  it('and of what changed', () => {
    const changes = trafficChanges([{ gateway: given.gateway, after: given, diagnostics: [] }]);
    expect(changes).toHaveLength(1);
    expect(JSON.stringify(changes)).not.toContain('s3cret');
  });

  it('and that one changed is told, without it', () => {
    const edited = JSON.parse(JSON.stringify(given).replaceAll('s3cret', 'an0ther')) as typeof given;
    const after = {
      ...edited,
      resources: edited.resources.map((each) => ({ ...each, hash: `${each.hash} edited` })),
    };
    const [change, ...others] = trafficChanges([
      { gateway: given.gateway, before: given, after, diagnostics: [] },
    ]);
    expect(others).toEqual([]);
    expect(change!.after).toBe(`${change!.before}, with another credential`);
    expect(JSON.stringify(change)).not.toMatch(/s3cret|an0ther/);
    const same = { ...given, resources: given.resources.map((each) => ({ ...each, hash: 'edited' })) };
    expect(trafficChanges([{ gateway: given.gateway, before: given, after: same, diagnostics: [] }])).toEqual(
      [],
    );
  });

  it('and are to be filled in in commands', () => {
    const command = curlFor(row!, { address: '127.0.0.1', localPort: () => 8080 })!;
    expect(command).toContain("-H 'authorization: <value>'");
    expect(command).toContain('x-tier: gold');
    expect(command).toContain('access_token=<value>&page=1');
    expect(command).not.toContain('s3cret');
  });
});
