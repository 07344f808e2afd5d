import { describe, expect, it } from '@jest/globals';
import { redactSnapshot } from '../../../gateway-runtime/admin/redact.ts';
import { REDACTED } from '../../../gateway-runtime/snapshot/credential.ts';
import type { HttpRule } from '../../../gateway-runtime/snapshot/snapshot.ts';
import { to } from '../../support/gateway.ts';
import { listener, rule, snapshot } from '../match/snapshots.ts';

const secretFilter = {
  type: 'RequestHeaderModifier',
  config: {
    set: [
      ['Authorization', 's3cret'],
      ['X-Tier', 'gold'],
    ],
    add: [['x-api-key', 's3cret']],
    remove: ['cookie', 'token'],
  },
};
const given = snapshot(
  listener('auth', { hostname: 'auth.example.com' }),
  rule({
    hostnames: ['auth.example.com', 'token.example.com'],
    matches: [
      { headers: { 'x-api-key': 's3cret', 'x-tier': 'gold' }, query: { access_token: 's3cret', page: '1' } },
    ],
    rest: { filters: [secretFilter], backends: [to('auth', 1, [secretFilter])] },
  }),
);
const ruleOf = (from: typeof given) =>
  from.resources.find((each): each is HttpRule => each.type === 'http-rule')!;

describe('a redacted snapshot', () => {
  it('has no value whose name tells of a credential', () => {
    expect(JSON.stringify(redactSnapshot(given))).not.toContain('s3cret');
  });

  it('is otherwise the same', () => {
    const { filters, backends, matches, ...rest } = ruleOf(redactSnapshot(given));
    const original = ruleOf(given);
    expect({ ...original, filters, backends, matches }).toEqual({ ...rest, filters, backends, matches });
    expect(filters[0]!.config).toEqual({
      set: [
        ['Authorization', REDACTED],
        ['X-Tier', 'gold'],
      ],
      add: [['x-api-key', REDACTED]],
      remove: ['cookie', 'token'],
    });
    expect(matches[0]!.headers.map(({ value }) => value)).toEqual([REDACTED, 'gold']);
    expect(matches[0]!.queryParams.map(({ value }) => value)).toEqual([REDACTED, '1']);
    expect(backends[0]!.name).toBe('Service shop/auth:80');
  });
});
