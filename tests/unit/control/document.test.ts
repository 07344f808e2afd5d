import { describe, expect, it } from '@jest/globals';
import { parseText } from '../../../gateway-runtime/control/document.ts';
import { formatSourceProblem } from '../../../gateway-runtime/control/source.ts';

const problemsOf = (text: string) => parseText(text, 'shop.yaml').problems.map(formatSourceProblem);

const SERVICE = `apiVersion: v1
kind: Service
metadata:
  name: cart
  namespace: shop
spec:
  ports:
    - port: 8080
`;

describe('parseText', () => {
  it('gives each object of each document with where it stands', () => {
    const { objects, problems } = parseText(
      `${SERVICE}---\n# nothing here\n---\n${SERVICE.replace('cart', 'media')}`,
      'shop.yaml',
    );
    expect(problems).toEqual([]);
    expect(objects.map(({ ref, origin }) => [ref.name, origin])).toEqual([
      ['cart', 'shop.yaml document 1'],
      ['media', 'shop.yaml document 3'],
    ]);
  });

  it('reads JSON, and unfolds lists, nested ones too', () => {
    const service = (name: string) => ({ apiVersion: 'v1', kind: 'Service', metadata: { name }, spec: {} });
    const list = {
      apiVersion: 'v1',
      kind: 'List',
      items: [service('a'), { kind: 'ServiceList', items: [service('b')] }],
    };
    const { objects, problems } = parseText(JSON.stringify(list), 'all.json');
    expect(problems).toEqual([]);
    expect(objects.map(({ ref, origin }) => [ref.namespace, ref.name, origin])).toEqual([
      ['default', 'a', 'all.json item 1'],
      ['default', 'b', 'all.json item 1'],
    ]);
  });

  it('refuses an invalid object alone, with document, line, object and field', () => {
    const route = `apiVersion: gateway.networking.k8s.io/v1
kind: HTTPRoute
metadata:
  name: cart
spec:
  rules:
    - matches:
        - path:
            type: Exact
            value: cart
    - matchs: []
`;
    const { objects } = parseText(`${SERVICE}---\n${route}`, 'shop.yaml');
    expect(objects.map(({ ref }) => ref.name)).toEqual(['cart']);
    expect(problemsOf(`${SERVICE}---\n${route}`)).toEqual([
      'error shop.yaml:19 (document 2) HTTPRoute/default/cart spec.rules[0].matches[0].path.value: found "cart", expected an absolute path that starts with "/".',
      'error shop.yaml:20 (document 2) HTTPRoute/default/cart spec.rules[1].matchs: found a field of this name, expected the field matches. Fix: rename it to matches.',
    ]);
  });

  it('takes a kind that is misspelt for an error of the object that was meant', () => {
    const text = `apiVersion: gateway.networking.k8s.io/v1\nkind: HTTPRout\nmetadata: { name: cart }\n`;
    expect(problemsOf(text)).toEqual([
      'error shop.yaml:2 HTTPRoute/default/cart kind: found HTTPRout, expected HTTPRoute. Fix: rename it to HTTPRoute.',
    ]);
    for (const [kind, meant] of [
      ['HttpRoute', 'HTTPRoute'],
      ['gateway', 'Gateway'],
      ['TcpRoute', 'TCPRoute'],
    ] as const) {
      expect(problemsOf(text.replace('HTTPRout', kind))[0]).toContain(
        `kind: found ${kind}, expected ${meant}. Fix: rename it to ${meant}.`,
      );
    }
    expect(problemsOf(text.replace('HTTPRout', 'Foo'))[0]).toMatch(
      /^error shop\.yaml:2 Foo\/cart kind: found Foo, expected a kind of Gateway API\. Fix: /,
    );
    const [skipped] = problemsOf(text.replace('HTTPRout', 'TCPRoute'));
    expect(skipped).toMatch(/^warning .*TCPRoute of Gateway API is not served/);
  });

  it('says what to write instead of a version that is not read', () => {
    const text = `apiVersion: gateway.networking.k8s.io/v1alpha2\nkind: HTTPRoute\nmetadata: { name: cart }\n`;
    expect(problemsOf(text)[0]).toMatch(/Fix: write apiVersion: gateway\.networking\.k8s\.io\/v1\.$/);
  });

  it.each([
    [
      'a value that is none',
      '{ name: Authorization, value: "s3cret  s3cret" }',
      'value: found a string, expected visible',
    ],
    ['an item that is none', '"Authorization: s3cret"', 'found a string, expected an object with name, '],
    [
      'a field of another type',
      '{ name: Authorization, value: [s3cret] }',
      'value: found a list, expected visible',
    ],
  ])('shows no header value, nor %s', (_, item, message) => {
    const [place, query] = [`set: [${item}]`, `[${item}]`];
    const text = `apiVersion: gateway.networking.k8s.io/v1
kind: HTTPRoute
metadata: { name: cart }
spec:
  rules:
    - filters: [{ type: RequestHeaderModifier, requestHeaderModifier: { ${place} } }]
    - matches: [{ headers: ${query} }]
    - matches: [{ queryParams: { key: s3cret } }]
`;
    const problems = problemsOf(text);
    expect(problems).toHaveLength(3);
    expect(problems.join('\n')).not.toContain('s3cret');
    expect(problems[0]).toContain(message);
    expect(problems[1]).toContain(message);
    expect(problems[2]).toContain('queryParams: found a map, expected a list');
  });

  it('passes over what is no Kubernetes object in a folder, and says so where it was one', () => {
    const foreign = [
      '{ "name": "app", "kind-of": 1 }',
      'language: typescript\napp: x\n',
      '// a comment\n{',
      '- a\n',
    ];
    for (const text of foreign) {
      expect(parseText(text, 'x.json').problems).not.toEqual([]);
      const found = parseText(text, 'x.json', { inFolder: true });
      expect([found.problems, found.objects, found.broken]).toEqual([[], [], false]);
      expect(formatSourceProblem(found.emptied!)).toMatch(
        /^error x\.json: it has no Kubernetes object any more, so /,
      );
    }
    const half = parseText('kind: HTTPRoute\n', 'x.yaml', { inFolder: true });
    expect(formatSourceProblem(half.problems[0]!)).toContain('apiVersion: found nothing');
    const both = parseText('a: 1\n---\nkind: HTTPRoute\n', 'x.yaml', { inFolder: true });
    expect(both.problems).toHaveLength(1);
    expect(both.emptied).toBeUndefined();
  });

  it('says what is wrong with a blank file that had objects', () => {
    const { emptied, problems, broken } = parseText(' \n', 'shop.yaml');
    expect([problems, broken]).toEqual([[], false]);
    expect(formatSourceProblem(emptied!)).toMatch(/^error shop\.yaml: the file is empty, so /);
    expect(parseText('# nothing\n', 'shop.yaml').emptied).toBeUndefined();
  });

  it('names the line of a label whose key has dots', () => {
    const text = SERVICE.replace(
      '  namespace: shop',
      '  namespace: shop\n  labels:\n    gatewright.dev/team: 7',
    );
    expect(problemsOf(text)).toEqual([
      'error shop.yaml:7 Service/shop/cart metadata.labels.gatewright.dev/team: found 7, expected a string.',
    ]);
  });

  it('says what replaces each kind of the predecessor API', () => {
    const text = `kind: HTTPRoute
apiVersion: networking.x-k8s.io/v1alpha1
metadata: { name: http-app-1 }
spec:
  hostnames: [whoami]
`;
    const [problem] = problemsOf(text);
    expect(problem).toMatch(
      /^error shop.yaml:2 HTTPRoute\/default\/http-app-1 apiVersion: found networking.x-k8s.io\/v1alpha1/,
    );
    expect(problem).toContain('forwardTo is now rules[].backendRefs');
    expect(parseText(text, 'shop.yaml').objects).toEqual([]);
  });

  it('passes over what serving has no use for, and warns of other kinds', () => {
    const text = [
      'apps/v1 Deployment',
      'v1 ServiceAccount',
      'v1 ServiceAccount',
      'example.com/v1 Widget',
      'gateway.networking.k8s.io/v1 GRPCRoute',
      'gateway.networking.x-k8s.io/v1alpha1 XBackendTrafficPolicy',
      'gateway.networking.x-k8s.io/v1alpha1 XBackend',
      'gateway.networking.x-k8s.io/v1alpha1 XMesh',
    ]
      .map((each) => each.split(' '))
      .map(([apiVersion, kind]) => `apiVersion: ${apiVersion}\nkind: ${kind}\nmetadata:\n  name: x\n`)
      .join('---\n');
    expect([...parseText(text, 'shop.yaml').passedOver]).toEqual([
      ['Deployment', 1],
      ['ServiceAccount', 2],
    ]);
    expect(problemsOf(text)).toEqual([
      'warning shop.yaml:16 (document 4) Widget/x: example.com/v1 Widget is not a kind that is read, so the object is skipped.',
      'warning shop.yaml:21 (document 5) GRPCRoute/x: GRPCRoute of Gateway API is not served by this version, so the object is skipped.',
      'warning shop.yaml:26 (document 6) XBackendTrafficPolicy/x: XBackendTrafficPolicy is not served: session persistence and retries are set on rules of routes, so the object is skipped.',
      'warning shop.yaml:31 (document 7) XBackend/x: XBackend is not served: backendRefs name Services, so the object is skipped.',
      'warning shop.yaml:36 (document 8) XMesh/x: XMesh is not served: it is for meshes, and this is a gateway, so the object is skipped.',
    ]);
  });

  it.each([
    ['a syntax error', 'kind: Service\nmetadata: {name', /^error shop.yaml:2: found no valid YAML: Flow map/],
    [
      'a key twice',
      `${SERVICE}    - port: 80\n      port: 81\n`,
      /^error shop.yaml:10: a key stands twice in one map/,
    ],
    ['text', 'just words', /^error shop.yaml:1: found the text "just words", expected an object/],
    ['a list', '- a\n- b', /^error shop.yaml:1: found a list, expected an object/],
  ])('reports %s and counts the text as broken', (_, text, message) => {
    expect(problemsOf(text)).toEqual([expect.stringMatching(message)]);
    expect(parseText(text, 'shop.yaml').broken).toBe(true);
  });

  it.each([
    '|hunter2',
    '"\\Uhunter2"',

    '[hunter2',
    'a\n]hunter2',
    '"a" hunter2',
    '@hunter2',
    '%hunter2',
  ])('does not quote the text it cannot read: %s', (value) => {
    const text = `apiVersion: v1\nkind: Secret\nmetadata:\n  name: a\nstringData:\n  pw: ${value}\n`;
    const problems = problemsOf(text);
    expect(problems.length).toBeGreaterThan(0);
    expect(problems.join()).not.toMatch(/hunter/);
  });

  it('does not expand aliases without bound', () => {
    const levels = Array.from(
      { length: 12 },
      (_, i) => `l${i + 1}: &l${i + 1} [${Array(9).fill(`*l${i}`).join(',')}]`,
    );
    expect(problemsOf(`l0: &l0 [x]\n${levels.join('\n')}`)).toEqual([
      'error shop.yaml: its aliases expand to more than 100 times what is written. Fix: write the values out.',
    ]);
  });

  it('does not overflow the stack', () => {
    expect(problemsOf('['.repeat(200_000))).toEqual(['error shop.yaml:1: nested too deeply to be read.']);
  });

  it('gives a key named __proto__ no power', () => {
    const { objects } = parseText(
      SERVICE.replace('  name: cart', '  name: cart\n  __proto__: { name: evil }'),
      'x',
    );
    expect(objects.map(({ ref }) => ref.name)).toEqual(['cart']);
    expect(({} as { name?: string }).name).toBeUndefined();
  });
});
