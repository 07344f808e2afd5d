/** What the gateway under attack serves: two Services at one host, costly expressions and conditions at others, and more hosts beside them. */
import { backend, to } from '../../support/gateway.ts';
import { prefix, regex, rule } from '../../unit/match/snapshots.ts';

export const served = (on: readonly string[], others = 0) => [
  backend('whoami'),
  backend('admin'),
  rule({ on, hostnames: ['a.example.com'], rest: { backends: [to('whoami')] } }),
  rule({
    on,
    route: 'shop/admin',
    hostnames: ['a.example.com'],
    matches: [{ path: prefix('/admin') }],
    rest: { backends: [to('admin')] },
  }),
  rule({
    on,
    route: 'shop/expressions',
    hostnames: ['b.example.com'],
    matches: [{ path: regex('/regex/(a|aa|a*)*b') }, { path: regex('/regex/(x+x+)+y') }],
    rest: { backends: [to('whoami')] },
  }),
  // As many conditions as a rule can have: each of them may be looked for in all of a request.
  rule({
    on,
    route: 'shop/conditions',
    hostnames: ['c.example.com'],
    matches: Array.from({ length: 64 }, (_, i) => ({
      query: { [`q${i}`]: 'v' },
      headers: { [`x-${i}`]: 'v' },
    })),
    rest: { backends: [to('whoami')] },
  }),
  ...Array.from({ length: others }, (_, i) =>
    rule({
      on,
      route: `shop/other-${i}`,
      hostnames: [`h${i}.example.com`],
      rest: { backends: [to('whoami')] },
    }),
  ),
];
