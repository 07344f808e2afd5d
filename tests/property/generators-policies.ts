/** Policies of our own kinds: their targets, and what they say. */
import fc from 'fast-check';
import type { RawObject } from '../../gateway-runtime/api/object.ts';
import { mostly, objectOf, often, pick, rarely, seldom } from './generators-objects.ts';

const policyTarget = (
  kinds: fc.Arbitrary<string>,
  names: fc.Arbitrary<string>,
  sections: fc.Arbitrary<string>,
) =>
  fc.uniqueArray(fc.record({ kind: kinds, name: names, sectionName: seldom(sections) }), {
    minLength: 1,
    maxLength: 2,
    selector: (ref) => `${ref.kind}/${ref.name}/${ref.sectionName}`,
  });
const httpsRedirect = rarely(pick({}, { enabled: false }, { statusCode: 301 }));
const bytes = rarely(pick(10, 100, 1000));
const time = seldom(pick('1s', '5s', '1m'));
const editedHeaders = rarely(
  pick({ set: [{ name: 'x-a', value: 'a' }] }, { set: [{ name: 'X-A', value: 'b' }], remove: ['server'] }),
);
const networks = seldom(
  pick(
    ['10.0.0.0/8'],
    ['10.1.0.0/16', '2001:db8::/32'],
    ['0.0.0.0/0', '::/0'],
    ['192.0.2.0/24'],
    ['10.0.0.1/8'],
  ),
);
const tlsVersion = rarely(pick('TLSv1.2', 'TLSv1.3'));

export const POLICIES: Record<string, fc.Arbitrary<RawObject>> = {
  GatewayPolicy: objectOf('gatewright.dev/v1alpha1', 'GatewayPolicy', pick('one', 'two'), {
    spec: fc.record({
      targetRefs: policyTarget(
        mostly('Gateway', 'ListenerSet'),
        mostly('gw', 'edge', 'team'),
        pick('web', 'secure', 'gone'),
      ),
      overrides: often(
        fc.record({
          httpsRedirect,
          minTlsVersion: tlsVersion,
          maxRequestBytes: bytes,
          requestTimeout: time,
          responseHeaders: editedHeaders,
          ipAllow: networks,
        }),
      ),
      defaults: seldom(
        fc.record({
          httpsRedirect,
          minTlsVersion: tlsVersion,
          maxRequestBytes: rarely(pick({ default: 50 }, { default: 20, max: 200 })),
          requestTimeout: seldom(
            pick({ default: '2s' }, { min: '2s', max: '10s' }, { min: '2s', max: '1s' }),
          ),
          responseHeaders: editedHeaders,
          ipAllow: networks,
        }),
      ),
    }),
  }),
  RoutePolicy: objectOf('gatewright.dev/v1alpha1', 'RoutePolicy', pick('one', 'two'), {
    spec: fc.record({
      targetRefs: policyTarget(fc.constant('HTTPRoute'), pick('cart', 'web', 'api'), pick('first', 'second')),
      httpsRedirect,
      maxRequestBytes: bytes,
      requestTimeout: time,
      responseHeaders: editedHeaders,
      ipAllow: networks,
    }),
  }),
};
