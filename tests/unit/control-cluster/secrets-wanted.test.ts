/** Which Secrets translate asks for, and what it says of those that may not be read. */
import { describe, expect, it } from '@jest/globals';
import { CONTROLLER_NAME, GATEWAY_GROUP } from '../../../gateway-runtime/api/names.ts';
import { re2 } from '../../../gateway-runtime/regex/re2.ts';
import { Translator } from '../../../gateway-runtime/translate/translator.ts';

const apiVersion = `${GATEWAY_GROUP}/v1`;
const gatewayClass = {
  apiVersion,
  kind: 'GatewayClass',
  metadata: { name: 'ours' },
  spec: { controllerName: CONTROLLER_NAME },
};
const gateway = (gatewayClassName: string, ...certificateRefs: object[]) => ({
  apiVersion,
  kind: 'Gateway',
  metadata: { name: 'edge', namespace: 'infra' },
  spec: {
    gatewayClassName,
    listeners: [{ name: 'https', port: 443, protocol: 'HTTPS', tls: { certificateRefs } }],
  },
});
const grant = {
  apiVersion,
  kind: 'ReferenceGrant',
  metadata: { name: 'edge', namespace: 'shop' },
  spec: {
    from: [{ group: GATEWAY_GROUP, kind: 'Gateway', namespace: 'infra' }],
    to: [{ group: '', kind: 'Secret', name: 'cart' }],
  },
};
const secretRef = (namespace: string, name: string) => ({ group: '', kind: 'Secret', namespace, name });

const refs = [{ name: 'edge' }, { name: 'cart', namespace: 'shop' }, { kind: 'ConfigMap', name: 'odd' }];

describe('the Secrets that are asked for', () => {
  it('are those that a Gateway of ours refers to and may refer to, there or not', () => {
    const translator = new Translator({ regex: re2 });
    const first = translator.apply([{ set: gatewayClass }, { set: gateway('ours', ...refs) }]);
    expect([...first.secrets]).toEqual([['infra/edge', true]]);
    expect([...translator.apply([{ set: grant }]).secrets]).toEqual([['shop/cart', true]]);
    expect([...translator.current.secrets.keys()]).toEqual(['infra/edge', 'shop/cart']);
    const { apiVersion: _, ...ref } = { ...secretRef('shop', 'edge'), group: GATEWAY_GROUP, apiVersion };
    const revoked = translator.apply([{ remove: { ...ref, kind: 'ReferenceGrant' } }]);
    expect([...revoked.secrets]).toEqual([['shop/cart', undefined]]);
    const foreign = translator.apply([{ set: gateway('theirs', ...refs) }]);
    expect([...foreign.secrets]).toEqual([['infra/edge', undefined]]);
  });

  it('are said to be unreadable where they are, and are used once they can be read', () => {
    const translator = new Translator({ regex: re2 });
    translator.apply([{ set: gatewayClass }, { set: gateway('ours', { name: 'edge' }) }]);
    const change = translator.apply([
      { withhold: secretRef('infra', 'edge'), problem: 'may not be read', fix: 'apply the Role' },
    ]);
    const status = change.statuses.get('Gateway/infra/edge');
    const resolved = () => {
      const now = translator.current.statuses.get('Gateway/infra/edge');
      if (now?.kind !== 'Gateway') throw new Error('found no status');
      return now.listeners[0]!.conditions.find(({ type }) => type === 'ResolvedRefs');
    };
    expect(status).toBeDefined();
    expect(resolved()).toMatchObject({
      status: 'False',
      reason: 'InvalidCertificateRef',
      message: 'spec.listeners[0].tls.certificateRefs[0]: Secret infra/edge may not be read. Apply the Role.',
    });
    translator.apply([{ remove: secretRef('infra', 'edge') }]);
    expect(resolved()?.message).toContain('does not exist');
  });
});
