/** The runtime as others import it: `gatewright/runtime`. */
import { afterAll, expect, it } from '@jest/globals';
import { Agent, explain, parseRequest, re2, translate } from 'gatewright/runtime';

const gateway = { namespace: 'infra', name: 'edge' };
const objects = [
  {
    apiVersion: 'gateway.networking.k8s.io/v1',
    kind: 'Gateway',
    metadata: gateway,
    spec: { gatewayClassName: 'any', listeners: [{ name: 'web', port: 80, protocol: 'HTTP' }] },
  },
  {
    apiVersion: 'gateway.networking.k8s.io/v1',
    kind: 'HTTPRoute',
    metadata: { namespace: 'infra', name: 'moved' },
    spec: {
      parentRefs: [{ name: 'edge' }],
      rules: [{ filters: [{ type: 'RequestRedirect', requestRedirect: { hostname: 'new.example.com' } }] }],
    },
  },
];
const snapshot = translate(objects, { regex: re2, classes: 'any' }).snapshots.get('infra/edge')!;
const agent = new Agent({ gateway, regex: re2, bindPort: () => 0 });
afterAll(() => agent.close());

it('says where a request goes, and the proxy does so', async () => {
  const asked = parseRequest('GET http://old.example.com/a?b=c');
  if ('problem' in asked) throw new Error(asked.problem);
  const { status } = explain(snapshot, asked, asked.request, re2);

  const { accepted } = await agent.apply({
    delta: { gateway, to: snapshot.version, put: snapshot.resources, remove: [] },
  });
  expect(accepted).toBe(true);
  const answer = await fetch(`http://127.0.0.1:${agent.boundPort(80)}/a?b=c`, { redirect: 'manual' });
  expect([status, answer.status, answer.headers.get('location')]).toEqual([
    302,
    302,
    'http://new.example.com/a?b=c',
  ]);
});
