/** The form of cases is strict, so that a slip in one does not make it pass. */
import { describe, expect, it } from '@jest/globals';
import { parseCase, parseFragment } from './case.ts';
import { changed, makeCase } from './load.ts';
import { textMatches } from './mismatch.ts';

const HEAD = 'about: A behaviour in a sentence.\nspec: Where it is written.\n';
const REQUESTS = 'requests: [{ request: GET http://a/, answer: 404 }]\n';
const parsed = (text: string) => parseCase('x.yaml', HEAD + text);

describe('a case', () => {
  it('is read with its short forms', () => {
    const { requests, statuses, diagnostics } = parsed(`
requests:
  - { request: 'GET http://a:81/x y?z', answer: shop/a:80, headers: { a: b, c: [d, e] } }
  - { request: GET https://a/, answer: refused }
  - { request: GET http://a/, shares: { 'shop/a:80': 3, '500': 1 } }
statuses:
  HTTPRoute/a/b: { Accepted: True Accepted, ResolvedRefs: 'False X: why', gatewright.dev/Programmed: true, Other: absent }
  Gateway/a/c: absent
diagnostics: none
`);
    expect(requests![0]).toMatchObject({
      request: { method: 'GET', url: 'http://a:81/x y?z' },
      answer: { backend: 'shop/a:80' },
    });
    expect(requests![0]!.headers!.get('c')).toEqual(['d', 'e']);
    expect(requests![1]!.answer).toEqual({ refused: true });
    expect(requests![2]!.shares).toEqual(
      new Map([
        ['500', 1],
        ['shop/a:80', 3],
      ]),
    );
    expect(Object.fromEntries(statuses!.get('HTTPRoute/a/b')!.conditions)).toEqual({
      Accepted: { status: 'True', reason: 'Accepted' },
      ResolvedRefs: { status: 'False', reason: 'X', message: 'why' },
      'gatewright.dev/Programmed': { status: 'True' },
      Other: { status: 'absent' },
    });
    expect(statuses!.get('Gateway/a/c')).toMatchObject({ absent: true });
    expect(diagnostics).toEqual([]);
  });

  it.each([
    [
      'a key of the case',
      `${REQUESTS}request: []`,
      'request: found a field of this name, expected the field requests',
    ],
    [
      'a key of a request',
      'requests: [{ request: GET http://a/, answer: 404, header: {} }]',
      'requests[0].header',
    ],
    [
      'a key of an answer',
      'requests: [{ request: GET http://a/, answer: { stats: 404 } }]',
      'requests[0].answer.stats',
    ],
    [
      'a key of what a backend saw',
      'requests: [{ request: GET http://a/, answer: { saw: { url: / } } }]',
      'answer.saw.url',
    ],
    [
      'a key of an echo',
      'requests: [{ request: GET http://a/, answer: 200, echo: { code: 1 } }]',
      'requests[0].echo.code',
    ],
    ['a key of a diagnostic', 'diagnostics: [{ text: x }]', 'diagnostics[0].text'],
    ['a key of a status', 'statuses: { Gateway/a/b: { listner: {} } }', 'statuses.Gateway/a/b.listner'],
    [
      'a key of a listener',
      'statuses: { Gateway/a/b: { listeners: { c: { attached: 1 } } } }',
      'listeners.c.attached',
    ],
    [
      'a key of an edit',
      `${REQUESTS}edits: [{ about: An edit of objects., sets: [], diagnostics: none }]`,
      'edits[0].sets',
    ],
    ['a key of the agent', `${REQUESTS}agent: { hops: [] }`, 'agent.hops'],
  ])('refuses %s that it does not know', (_, text, message) => {
    expect(() => parsed(text)).toThrow(message);
  });

  it.each([
    ['nothing at all', 'objects: []', 'asserts nothing'],
    [
      'a request without an expectation',
      'requests: [{ request: GET http://a/ }]',
      'expected answer or shares',
    ],
    [
      'an edit that asserts nothing',
      `${REQUESTS}edits: [{ about: An edit of objects., remove: [A/b] }]`,
      'asserts nothing',
    ],
    ['an empty list of requests', 'requests: []', 'at least 1'],
    ['an empty list of diagnostics', 'diagnostics: []', 'at least 1'],
    ['a diagnostic that says nothing', 'diagnostics: [{}]', 'expected code, object, field, message'],
    ['a status that says nothing', 'statuses: { Gateway/a/b: {} }', 'expected conditions'],
    ['a condition in another form', 'statuses: { Gateway/a/b: { Accepted: yes } }', 'expected True'],
    ['a request without a method', 'requests: [{ request: http://a/, answer: 404 }]', 'a method and a URL'],
    [
      'a status out of range',
      'requests: [{ request: GET http://a/, answer: 42 }]',
      'a whole number from 100',
    ],
    ['a key twice', `${REQUESTS}${REQUESTS}`, 'unique'],
    ['no YAML', 'a: [', 'x.yaml'],
  ])('refuses %s', (_, text, message) => {
    expect(() => parsed(text)).toThrow(message);
  });

  it('names its file and every wrong key', () => {
    expect(() => parseCase('topic/x.yaml', 'about: short\nuse: []\nfoo: 1')).toThrow(
      /^topic\/x\.yaml:\n {2}foo: .*\n {2}about: .*\n {2}spec: .*\n {2}use: /,
    );
    expect(() => parseCase('x.yaml', '- a list')).toThrow('expected a map');
  });
});

it('a fragment is a list of objects', () => {
  expect(parseFragment('f.yaml', '- kind: A\n- kind: B')).toHaveLength(2);
  expect(() => parseFragment('f.yaml', 'kind: A')).toThrow('f.yaml: expected a list of objects');
});

describe('the steps of a case', () => {
  const objects =
    'objects: [{ kind: Namespace, metadata: { name: a } }, { kind: HTTPRoute, metadata: { name: r, namespace: a }, spec: { x: 1 } }]\n';
  const steps = (text: string) => makeCase('x', parsed(text), () => []).steps;

  it('fill in the apiVersion of known kinds, and leave those that are given', () => {
    const [step] = makeCase(
      'x',
      parsed(
        `${REQUESTS}use: [f]\nobjects: [{ kind: Service }, { apiVersion: v2, kind: Secret }, { kind: Other }]`,
      ),
      () => [{ kind: 'Gateway' }],
    ).steps;
    expect(step!.objects.map(({ apiVersion }) => apiVersion)).toEqual([
      'gateway.networking.k8s.io/v1',
      'v1',
      'v2',
      undefined,
    ]);
  });

  it('apply edits one after the other', () => {
    const [first, second, third] = steps(`${objects}${REQUESTS}edits:
  - { about: A field is changed., change: { HTTPRoute/a/r: { spec.x: 2 } }, diagnostics: none }
  - { about: An object goes., remove: [HTTPRoute/a/r], diagnostics: none }
`);
    expect(first!.objects).toHaveLength(2);
    expect(second!.objects[1]).toMatchObject({ spec: { x: 2 } });
    expect(second!.changes).toHaveLength(1);
    expect(third!.objects).toHaveLength(1);
    expect(first!.objects[1]).toMatchObject({ spec: { x: 1 } });
  });

  it.each(['change: { HTTPRoute/a/other: { spec.x: 2 } }', 'remove: [HTTPRoute/a/other]'])(
    'refuse %s of what is not there',
    (edit) => {
      expect(() =>
        steps(`${objects}${REQUESTS}edits: [{ about: An edit of nothing., ${edit}, diagnostics: none }]`),
      ).toThrow('HTTPRoute/a/other, which the case does not have');
    },
  );
});

it('changes one field of an object and leaves the object as it was', () => {
  const object = { spec: { list: [{ a: 1 }, { a: 2 }], map: { b: 3 } } };
  expect(changed(object, 'spec.list[1].a', 7)).toEqual({
    spec: { list: [{ a: 1 }, { a: 7 }], map: { b: 3 } },
  });
  expect(changed(object, 'spec.list[0]', null)).toEqual({ spec: { list: [{ a: 2 }], map: { b: 3 } } });
  expect(changed(object, 'spec.map.b', null)).toEqual({ spec: { list: [{ a: 1 }, { a: 2 }], map: {} } });
  expect(changed(object, 'spec.list[2]', { a: 3 })).toMatchObject({ spec: { list: [{}, {}, { a: 3 }] } });
  expect(changed(object, 'metadata.labels.x', 'y')).toMatchObject({ metadata: { labels: { x: 'y' } } });
  expect(object).toEqual({ spec: { list: [{ a: 1 }, { a: 2 }], map: { b: 3 } } });
});

it.each([
  ['/one/', '/one/', true],
  ['/one/', 'one', false],
  ['/a+/', 'aaa', true],
  ['/a+/', 'aab', false],
  ['/a.*b/', 'a\nb', true],
  ['text', 'text', true],
  ['text', 'text more', false],
])('%j takes %j: %s', (expected, got, matches) => {
  expect(textMatches(expected, got)).toBe(matches);
});
