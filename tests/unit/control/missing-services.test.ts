import { describe, expect, it } from '@jest/globals';
import { parseText } from '../../../gateway-runtime/control/document.ts';
import { missingServices, standInService } from '../../../gateway-runtime/control/missing-services.ts';
import { readObject } from '../../../gateway-runtime/control/read-object.ts';

const route = (name: string, refs: string) => `apiVersion: gateway.networking.k8s.io/v1
kind: HTTPRoute
metadata: { name: ${name}, namespace: shop }
spec:
  rules:
    - backendRefs: [${refs}]
    - backendRefs: null
    - {}
`;
const CART = `apiVersion: v1
kind: Service
metadata: { name: cart, namespace: shop }
spec: { ports: [{ port: 8080 }] }
`;
const objects = (...texts: string[]) => parseText(texts.join('---\n'), 'x.yaml').objects;

describe('missingServices', () => {
  it('names the Services that routes send to and nothing defines, with every port that is asked for', () => {
    const missing = missingServices(
      objects(
        route('a', '{ name: nginx, port: 81 }, { name: cart, port: 8080 }'),
        route('b', '{ name: nginx, port: 80 }, { name: page, namespace: media, port: 80 }'),
        CART,
      ),
    );
    expect(missing).toEqual([
      {
        ref: { group: '', kind: 'Service', namespace: 'media', name: 'page' },
        ports: [80],
        neededBy: ['HTTPRoute/shop/b'],
      },
      {
        ref: { group: '', kind: 'Service', namespace: 'shop', name: 'nginx' },
        ports: [80, 81],
        neededBy: ['HTTPRoute/shop/a', 'HTTPRoute/shop/b'],
      },
    ]);
  });

  it('leaves those alone that are defined, lack only a port, or are of another kind', () => {
    const missing = missingServices(
      objects(route('a', '{ name: cart, port: 9 }, { group: x.example.com, kind: Pool, name: p }'), CART),
    );
    expect(missing).toEqual([]);
  });

  it('puts Services in their place that are in order', () => {
    const [missing] = missingServices(
      objects(route('a', '{ name: nginx, port: 81 }, { name: nginx, port: 80 }')),
    );
    const { raw, ref } = standInService(missing!);
    const read = readObject(raw, '', () => ({ file: '' }));
    expect(read.object?.ref).toEqual(ref);
    expect(raw).toMatchObject({
      metadata: { namespace: 'shop' },
      spec: { ports: [{ port: 80 }, { port: 81 }] },
    });
  });
});
