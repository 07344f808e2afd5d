import { describe, expect, it } from '@jest/globals';
import { httpFilter } from '../../../gateway-runtime/api/http-filter.ts';
import type { FieldProblem } from '../../../gateway-runtime/api/schema.ts';
import type {
  AuthorizedHead,
  ResponseHead,
  TranslateContext,
} from '../../../gateway-runtime/filters/definition.ts';
import { compileFilters, explainFilter, translateFilters } from '../../../gateway-runtime/filters/index.ts';
import type { PathMatch } from '../../../gateway-runtime/snapshot/snapshot.ts';

function checked(filter: unknown) {
  const problems: FieldProblem[] = [];
  const value = httpFilter.check(filter, 'filter', problems);
  expect(problems).toEqual([]);
  return value;
}

function translated(...filters: unknown[]) {
  const refusals: string[] = [];
  const context: TranslateContext = {
    backend: ({ name }) => ({ name, ...(name === 'gone' ? {} : { backend: `backend/shop/${name}/80` }) }),
    refuse: (reason, message) => {
      refusals.push(`${reason}: ${message}`);
      return undefined;
    },
  };
  return { configs: translateFilters(filters.map(checked), 'rule', () => context), refusals };
}

class Head implements AuthorizedHead, ResponseHead {
  method = 'GET';
  scheme = 'http';
  host = 'shop.example.com';
  listenerPort = 80;
  path = '/';
  query = '';
  authority = 'shop.example.com';
  status = 200;
  fields: [string, string][] = [];
  get(name: string) {
    const values = this.fields
      .filter(([each]) => each.toLowerCase() === name.toLowerCase())
      .map(([, value]) => value);
    return values.length ? values.join(', ') : undefined;
  }
  set(name: string, value: string) {
    this.remove(name);
    this.add(name, value);
  }
  add(name: string, value: string) {
    this.fields.push([name, value]);
  }
  remove(name: string) {
    this.fields = this.fields.filter(([each]) => each.toLowerCase() !== name.toLowerCase());
  }
  removeIf(_initials: string, test: (name: string) => boolean) {
    this.fields = this.fields.filter(([each]) => !test(each.toLowerCase()));
  }
  each(visit: (name: string, value: string) => void) {
    for (const [name, value] of this.fields) visit(name, value);
  }
}

const prefix = (value: string): PathMatch => ({ type: 'PathPrefix', value });

function run(
  filter: unknown,
  head: Head,
  path: PathMatch = prefix('/'),
  publicPort = (port: number) => port,
) {
  const { configs, refusals } = translated(filter);
  expect(refusals).toEqual([]);
  const [compiled] = compileFilters(configs, { path, publicPort });
  const reply = compiled!.request?.(head);
  compiled!.response?.(head, { ...head, header: (name) => head.get(name) });
  return reply;
}

describe('header modifiers', () => {
  it('sets, adds and removes, in this order', () => {
    const head = new Head();
    head.fields = [
      ['X-Old', '1'],
      ['x-old', '2'],
      ['x-gone', 'yes'],
    ];
    run(
      {
        type: 'RequestHeaderModifier',
        requestHeaderModifier: {
          set: [{ name: 'x-old', value: 'new' }],
          add: [{ name: 'x-old', value: 'more' }],
          remove: ['X-Gone'],
        },
      },
      head,
    );
    expect(head.fields).toEqual([
      ['x-old', 'new'],
      ['x-old', 'more'],
    ]);
  });

  it('takes the first of names that differ only in case', () => {
    const { configs } = translated({
      type: 'ResponseHeaderModifier',
      responseHeaderModifier: {
        set: [
          { name: 'X-A', value: 'first' },
          { name: 'x-a', value: 'second' },
        ],
      },
    });
    expect(configs[0]!.config).toEqual({ set: [['X-A', 'first']], add: [], remove: [] });
  });

  it.each(['Connection', 'content-length', 'Transfer-Encoding', 'Upgrade', 'TE', 'Trailer', 'Keep-Alive'])(
    'refuses to edit %s, which frames the message',
    (name) => {
      const { configs, refusals } = translated({
        type: 'RequestHeaderModifier',
        requestHeaderModifier: { remove: [name] },
      });
      expect(configs).toEqual([]);
      expect(refusals).toEqual([
        expect.stringContaining(`UnsupportedValue: the header ${name} frames the message`),
      ]);
    },
  );

  it('refuses to edit Host and names the filter that can', () => {
    const { refusals } = translated({
      type: 'RequestHeaderModifier',
      requestHeaderModifier: { set: [{ name: 'Host', value: 'other.example.com' }] },
    });
    expect(refusals[0]).toContain('use a URLRewrite filter with hostname');
  });
});

describe('URLRewrite', () => {
  // The table at HTTPPathModifier.replacePrefixMatch in the API reference.
  it.each([
    ['/foo/bar', '/foo', '/xyz', '/xyz/bar'],
    ['/foo/bar', '/foo', '/xyz/', '/xyz/bar'],
    ['/foo/bar', '/foo/', '/xyz', '/xyz/bar'],
    ['/foo/bar', '/foo/', '/xyz/', '/xyz/bar'],
    ['/foo', '/foo', '/xyz', '/xyz'],
    ['/foo/', '/foo', '/xyz', '/xyz/'],
    ['/foo/bar', '/foo', '', '/bar'],
    ['/foo/', '/foo', '', '/'],
    ['/foo', '/foo', '', '/'],
    ['/foo/', '/foo', '/', '/'],
    ['/foo', '/foo', '/', '/'],
    ['/foo', '/', '/xyz', '/xyz/foo'],
    ['/', '/', '/xyz', '/xyz/'],
  ])('changes %s with prefix %s and replacement "%s" to %s', (path, matched, replacement, expected) => {
    const head = new Head();
    head.path = path;
    const rewrite = { path: { type: 'ReplacePrefixMatch', replacePrefixMatch: replacement } };
    run({ type: 'URLRewrite', urlRewrite: rewrite }, head, prefix(matched));
    expect(head.path).toBe(expected);
  });

  it('replaces the host and the full path', () => {
    const head = new Head();
    head.path = '/a/b';
    const rewrite = {
      hostname: 'inner.example.com',
      path: { type: 'ReplaceFullPath', replaceFullPath: '/one' },
    };
    run({ type: 'URLRewrite', urlRewrite: rewrite }, head);
    expect([head.authority, head.path]).toEqual(['inner.example.com', '/one']);
  });

  it.each(['/a?b=c', '/a#b', '/a b', '/a\\b'])('refuses %s as a path', (replaceFullPath) => {
    const { refusals } = translated({
      type: 'URLRewrite',
      urlRewrite: { path: { type: 'ReplaceFullPath', replaceFullPath } },
    });
    expect(refusals[0]).toContain('give an absolute path');
  });
});

describe('RequestRedirect', () => {
  const location = (redirect: object, change: Partial<Head> = {}, publicPort?: (port: number) => number) => {
    const head = Object.assign(new Head(), { path: '/a', query: 'q=1' }, change);
    const reply = run({ type: 'RequestRedirect', requestRedirect: redirect }, head, prefix('/'), publicPort);
    return `${reply?.status} ${reply?.headers[0]?.[1]}`;
  };

  it.each<[string, object, Partial<Head>, string]>([
    ['keeps everything by default', {}, {}, '302 http://shop.example.com/a?q=1'],
    [
      'keeps the listener port without a scheme',
      {},
      { listenerPort: 8080 },
      '302 http://shop.example.com:8080/a?q=1',
    ],
    [
      'takes the well-known port of a scheme',
      { scheme: 'https' },
      { listenerPort: 8080 },
      '302 https://shop.example.com/a?q=1',
    ],
    [
      'writes a port that is not well known',
      { port: 8443, scheme: 'https' },
      {},
      '302 https://shop.example.com:8443/a?q=1',
    ],
    ['leaves out 443 with https', { port: 443, scheme: 'https' }, {}, '302 https://shop.example.com/a?q=1'],
    [
      'leaves out 443 of an https listener',
      {},
      { scheme: 'https', listenerPort: 443 },
      '302 https://shop.example.com/a?q=1',
    ],
    ['writes 80 with https', { port: 80, scheme: 'https' }, {}, '302 https://shop.example.com:80/a?q=1'],
    [
      'changes host and status',
      { hostname: 'b.example.com', statusCode: 301 },
      {},
      '301 http://b.example.com/a?q=1',
    ],
    [
      'changes the path',
      { path: { type: 'ReplaceFullPath', replaceFullPath: '/x' } },
      { query: '' },
      '302 http://shop.example.com/x',
    ],
  ])('%s', (_, redirect, head, expected) => {
    expect(location(redirect, head)).toBe(expected);
  });

  it('points to where a port is really served', () => {
    const moved = (port: number) => port + 8000;
    expect(location({ scheme: 'https' }, {}, moved)).toBe('302 https://shop.example.com:8443/a?q=1');
    expect(location({}, {}, moved)).toBe('302 http://shop.example.com:8080/a?q=1');
    expect(location({ hostname: 'shop.example.com', scheme: 'https' }, {}, moved)).toBe(
      '302 https://shop.example.com:8443/a?q=1',
    );
  });

  it('leaves another host its own port, wherever this one is served', () => {
    const moved = (port: number) => port + 8000;
    expect(location({ hostname: 'other.org' }, {}, moved)).toBe('302 http://other.org/a?q=1');
    expect(location({ hostname: 'other.org', scheme: 'https' }, {}, moved)).toBe(
      '302 https://other.org/a?q=1',
    );
    expect(location({ hostname: 'other.org', port: 8080 }, {}, moved)).toBe(
      '302 http://other.org:8080/a?q=1',
    );
  });
});

describe('the registry', () => {
  it('refuses what is not served', () => {
    const extension = { group: 'example.com', kind: 'Filter', name: 'own' };
    const { configs, refusals } = translated({ type: 'ExtensionRef', extensionRef: extension });
    expect(configs).toEqual([]);
    expect(refusals).toEqual([
      'InvalidKind: the filter ExtensionRef is not served; requests that match get 500 until it is removed',
    ]);
  });

  it('brings filters into the order in which they run', () => {
    const { configs } = translated(
      { type: 'ResponseHeaderModifier', responseHeaderModifier: { remove: ['a'] } },
      { type: 'URLRewrite', urlRewrite: { hostname: 'b.example.com' } },
      { type: 'RequestHeaderModifier', requestHeaderModifier: { remove: ['c'] } },
    );
    expect(configs.map(explainFilter)).toEqual([
      'request headers: removes c',
      'rewrites to host b.example.com',
      'response headers: removes a',
    ]);
  });

  it('throws on a snapshot filter of another version rather than going on without it', () => {
    const compile = () =>
      compileFilters([{ type: 'Tomorrow', config: {} }], { path: prefix('/'), publicPort: (port) => port });
    expect(compile).toThrow('the filter Tomorrow is not known to this version');
  });
});

describe('external authorization', () => {
  const asking = (http: object, more: object = {}) =>
    translated({
      type: 'ExternalAuth',
      externalAuth: { protocol: 'HTTP', backendRef: { name: 'auth', port: 80 }, http, ...more },
    });
  const client = { remoteAddress: '192.0.2.1', remotePort: 1, port: 80 };
  const about = (head: Head) => ({ head, id: () => 'a', time: 0, protocol: 'HTTP/1.1', client });
  const compiled = (http: object) =>
    compileFilters(asking(http).configs, { path: prefix('/'), publicPort: (port) => port })[0]!
      .authorization!;

  it.each([
    [{ allowedHeaders: ['x y'] }, 'expected the name of a header'],
    [{ allowedHeaders: [''] }, 'expected the name of a header'],
    [{ allowedHeaders: ['Transfer-Encoding'] }, 'belongs to one message'],
    [{ allowedResponseHeaders: ['Content-Length'] }, 'belongs to one message'],
    [{ allowedResponseHeaders: ['host'] }, 'belongs to one message'],
    [{ allowedResponseHeaders: ['Proxy-Authorization'] }, 'belongs to one message'],
    [{ path: '/a/%2e%2e%2fb' }, "can't stand before a path"],
    [{ path: '/%00' }, "can't stand before a path"],
  ])('refuses %j', (http, message) => {
    const { configs, refusals } = asking(http);
    expect(configs).toEqual([]);
    expect(refusals).toEqual([expect.stringContaining(message)]);
  });

  it.each([
    [undefined, '/x'],
    ['/', '/x'],
    ['check', '/check/x'],
    ['/a/../check/', '/check/x'],
    ['/%63heck', '/check/x'],
  ])('puts the path %j before that of the request', (path, expected) => {
    const head = new Head();
    head.path = '/x';
    head.query = 'a=1';
    expect(compiled(path === undefined ? {} : { path }).ask(about(head))).toEqual({
      method: 'GET',
      target: `${expected}?a=1`,
      authority: 'shop.example.com',
      fields: [],
      content: [],
    });
  });

  it('sends Authorization and what is listed, under every spelling and once', () => {
    const head = new Head();
    head.fields = [
      ['AUTHORIZATION', 'Basic a'],
      ['X-A', '1'],
      ['x-a', '2'],
      ['x-b', '3'],
    ];
    const names = ['X-A', 'Authorization', 'Host', 'x-none'];
    expect(compiled({ allowedHeaders: names }).ask(about(head)).fields).toEqual([
      ['Authorization', 'Basic a'],
      ['x-a', '1, 2'],
    ]);
  });

  it('has its reference in the snapshot, or the rule answers 500', () => {
    expect(asking({}, { forwardBody: { maxSize: 7 } }).configs[0]!.config).toMatchObject({
      name: 'auth',
      backend: 'backend/shop/auth/80',
      body: 7,
    });
    const { configs } = asking({}, { backendRef: { name: 'gone', port: 80 } });
    const [filter] = compileFilters(configs, { path: prefix('/'), publicPort: (port) => port });
    expect(filter!.authorization).toBeUndefined();
    expect(filter!.request!(new Head())).toMatchObject({ status: 500 });
    expect(explainFilter(configs[0]!)).toBe("asks nobody: gone can't be used");
  });

  it('comes after CORS and before all else', () => {
    const { configs } = translated(
      { type: 'RequestHeaderModifier', requestHeaderModifier: { remove: ['x-a'] } },
      {
        type: 'ExternalAuth',
        externalAuth: { protocol: 'HTTP', backendRef: { name: 'a', port: 80 }, http: {} },
      },
      { type: 'RequestRedirect', requestRedirect: { scheme: 'https' } },
      { type: 'CORS', cors: {} },
    );
    expect(configs.map(({ type }) => type)).toEqual([
      'CORS',
      'ExternalAuth',
      'RequestRedirect',
      'RequestHeaderModifier',
    ]);
  });
});
