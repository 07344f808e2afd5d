/** What is said of the CRDs that a cluster has. */
import { describe, expect, it } from '@jest/globals';
import { KINDS, type KindName } from '../../../gateway-runtime/api/kinds.ts';
import {
  type Bundle,
  bundleOf,
  crdDiagnostics,
  GATEWAY_KINDS,
  supportedVersion,
} from '../../../gateway-runtime/control/cluster/installed-crds.ts';
import { resourceName } from '../../../gateway-runtime/control/cluster/resources.ts';

const GOOD: Bundle = { version: 'v1.6.1', channel: 'experimental' };
const with_ = (changes: Readonly<Partial<Record<KindName, Bundle | undefined>>> = {}) =>
  new Map(
    GATEWAY_KINDS.flatMap((kind) => {
      const bundle = kind in changes ? changes[kind] : GOOD;
      return bundle ? [[resourceName(kind), bundle] as const] : [];
    }),
  );
const said = (installed: ReadonlyMap<string, Bundle>, unread: KindName[] = []) =>
  crdDiagnostics(installed, new Set(unread)).map(({ severity, code, object, message }) =>
    [severity, code, object.name.split('.')[0], message].join(' '),
  );

describe('the CRDs of a cluster', () => {
  it('are followed for every kind of the API that is read', () => {
    expect(GATEWAY_KINDS).toContain('HTTPRoute');
    expect(GATEWAY_KINDS).not.toContain('Service');
    for (const kind of GATEWAY_KINDS)
      expect(resourceName(kind)).toMatch(/^[a-z]+\.gateway\.networking\.k8s\.io$/);
  });

  const cases: [string, ReadonlyMap<string, Bundle>, KindName[], string[]][] = [
    ['as expected', with_(), [], []],
    ['of an older minor version', with_({ HTTPRoute: { ...GOOD, version: 'v1.3.0' } }), [], []],
    [
      'missing',
      with_({ ListenerSet: undefined }),
      ['ListenerSet'],
      [
        'error crd/missing listenersets found none, expected that of Gateway API v1.6.1; no ListenerSet is served',
      ],
    ],
    [
      'without a version that is read',
      with_(),
      ['HTTPRoute'],
      [
        `error crd/version-not-served httproutes found no version that is read, expected ${KINDS.HTTPRoute.versions.join(' or ')}; no HTTPRoute is served`,
      ],
    ],
    [
      'of a later version',
      with_({ Gateway: { ...GOOD, version: 'v1.7.0' } }),
      [],
      [
        'warning crd/bundle-version gateways found Gateway API v1.7.0, expected v1.6.1; what both know is served',
      ],
    ],
    [
      'of no release',
      with_({ Gateway: {} }),
      [],
      [
        'warning crd/bundle-version gateways found none of a release of Gateway API, expected v1.6.1; what both know is served',
      ],
    ],
    [
      'of the standard channel',
      with_({ Gateway: { ...GOOD, channel: 'standard' } }),
      [],
      [
        'info crd/channel gateways found standard, expected experimental; the API server drops fields of the experimental channel',
      ],
    ],
  ];

  it.each(cases)('%s', (_, installed, unread, expected) => {
    expect(said(installed, unread)).toEqual(expected);
  });

  it.each([
    ['v1.0.0', 'True'],
    ['v1.6.99', 'True'],
    ['v1.7.0-rc.1', 'False'],
    ['v2.0.0', 'False'],
    ['v0.8.1', 'False'],
    ['latest', 'False'],
    [undefined, 'False'],
  ])('of bundle version %s make the condition SupportedVersion %s', (version, status) => {
    const others = new Map([...with_(), ['udproutes.gateway.networking.k8s.io', version ? { version } : {}]]);
    const condition = supportedVersion(others);
    expect(condition.status).toBe(status);
    if (status === 'False') {
      expect(condition.message).toContain(
        `udproutes.gateway.networking.k8s.io of ${version ?? 'no version'}`,
      );
    }
  });

  it('say it in their annotations', () => {
    const annotations = {
      'gateway.networking.k8s.io/bundle-version': 'v1.6.1',
      'gateway.networking.k8s.io/channel': 'experimental',
    };
    expect(bundleOf({ metadata: { name: 'x', uid: '', resourceVersion: '', annotations } })).toEqual(GOOD);
    expect(bundleOf({ metadata: { name: 'x', uid: '', resourceVersion: '' } })).toEqual({});
  });
});
