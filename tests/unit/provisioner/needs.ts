/** What a Gateway needs, for tests of what is made of it. */
import type { Infrastructure } from '../../../gateway-runtime/translate/translation.ts';

export const needs = (change: Partial<Infrastructure> = {}): Infrastructure => ({
  gateway: { namespace: 'infra', name: 'edge' },
  uid: 'uid-edge',
  className: 'ours',
  ports: [{ port: 80, protocol: 'HTTP' }],
  addresses: [],
  labels: {},
  annotations: {},
  ...change,
});

export const SURROUNDINGS = {
  image: 'registry.example.com/gatewright:1',
  controlPlane: { host: 'gatewright-control-plane.gatewright-system.svc', port: 9903 },
  bundle: 'PEM',
};
