/** What `gatewright/jest` says of an app: that it holds, that it does not and why, and what it refuses to be asked. */
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, describe, expect, it, jest } from '@jest/globals';
import { ApiObject } from 'cdk8s';
import { exact, prefix, service, synthesize } from 'gatewright';
import 'gatewright/jest';
import { refuseChanged } from '../../jest/asked-app.ts';
import { refuseOpen } from '../../jest/open-statements.ts';
import app, { makeApp } from './app.ts';

const CART = 'GET https://shop.example.com/cart';
const GOLD = { headers: { 'x-tier': 'gold' } };

function failureOf(statement: () => unknown): string {
  try {
    statement();
  } catch (error) {
    return (error as Error).message;
  }
  throw new Error('it did not fail');
}

describe('toRoute', () => {
  it('says where a request goes', () => {
    expect(app).toRoute(CART).to('shop/cart');
    expect(app).toRoute(CART).to('shop/cart:8080');
    expect(app).toRoute(CART, GOLD).to('shop/gold');
    expect(app).toRoute('http://media.example.com/any?x=1').to('Service media/player:80');
    expect(app).not.toRoute(CART).to('shop/gold');
    expect(app).not.toRoute(CART).to('shop/cart:80');
  });

  it('and for which share of such requests', () => {
    expect(app).toRoute('http://shop.example.com/new').to('shop/cart').withShare(0.75);
    expect(app).toRoute('http://shop.example.com/new').to('shop/next').withShare(0.25);
    expect(app).toRoute(CART).to('shop/cart').withShare(1);
    expect(() => expect(app).toRoute('http://shop.example.com/new').to('shop/next').withShare(0.5)).toThrow(
      /Expected: to shop\/next for 50 %\nReceived: to Service shop\/cart:8080 for 75 %, to Service shop\/next:8080 for 25 %/,
    );
  });

  it('or that it is redirected or rejected', () => {
    expect(app).toRoute('http://shop.example.com/basket').toRedirect();
    expect(app).toRoute('http://shop.example.com/basket').toRedirect('https://shop.example.com/basket');
    expect(app).toRoute('http://shop.example.com/basket').toRedirect({ status: 301 });
    expect(app).not.toRoute('http://shop.example.com/basket').toRedirect({ status: 302 });
    expect(app).not.toRoute('http://shop.example.com/basket').toReject();
    expect(app).not.toRoute('http://shop.example.com/basket').to('shop/cart');
    expect(app).toRoute('http://shop.example.com/none').toReject(404);
    expect(app).toRoute('http://shop.example.com/none').toReject();
    expect(app).not.toRoute('http://shop.example.com/none').toReject(500);
    expect(app).toRoute('http://shop.example.com/%zz').toReject(400);
    expect(app).toRoute('tls://mail.example.com').toReject();
    expect(app).not.toRoute(CART).toReject();
    expect(app).not.toRoute(CART).toRedirect();
  });

  it('fails with the explanation, in 80 columns', () => {
    const message = failureOf(() => expect(app).toRoute(CART, GOLD).to('shop/cart'));
    expect(message).toMatch(
      /^expect\(app\)\.toRoute\("GET https:\/\/shop\.example\.com\/cart"\)\.to\('shop\/cart'\)\n\nExpected: to shop\/cart\nReceived: to Service shop\/gold:8080\n\nGET https:\/\/shop/,
    );
    expect(message).toContain('Answer      Served by HTTPRoute shop/store spec.rules[0].');
    expect(message).toContain('goes before HTTPRoute shop/store spec.rules[1]');
    expect(message.split('\n').filter((line) => line.length > 80)).toEqual([]);
  });

  it('fails at the line of the statement, where it is denied too', () => {
    try {
      expect(app).not.toRoute(CART).to('shop/cart');
    } catch (error) {
      expect((error as Error).message).toContain('Expected: not to shop/cart');
      expect((error as Error).stack!.split('\n').find((line) => line.includes('    at '))).toContain(
        'matchers.test.ts',
      );
      return;
    }
    throw new Error('it did not fail');
  });

  it('says which routes for the host are not attached', () => {
    const objects = synthesize(app).objects.map(({ object }) =>
      object.kind === 'HTTPRoute'
        ? { ...object, spec: { ...(object.spec as object), hostnames: ['store.example.com'] } }
        : object,
    );
    expect(failureOf(() => expect(objects).toRoute('http://store.example.com/').to('shop/cart'))).toContain(
      'Refused     HTTPRoute/shop/store (NoMatchingListenerHostname)',
    );
  });
});

describe('a statement that is not ended', () => {
  it('fails the test at its end', () => {
    expect(app).toRoute(CART);
    expect(refuseOpen).toThrow(/toRoute\("GET .*"\) says nothing yet: where does the request go\?/);
    expect(refuseOpen).not.toThrow();
  });

  it('also where only a share of the requests goes there and it is not said', () => {
    expect(app).toRoute('http://shop.example.com/new').to('shop/next');
    const message = failureOf(refuseOpen);
    expect(message).toContain(
      'Expected: to shop/next, for all requests, or .withShare(0.25) after it\nReceived: to Service shop/cart:8080 for 75 %',
    );
  });
});

describe('what is not understood', () => {
  it.each<[string, () => unknown, RegExp]>([
    [
      'a host alone',
      () => expect(app).toRoute('shop.example.com/cart'),
      /expected a method and a URL, such as/,
    ],
    [
      'another port',
      () => expect(app).toRoute('http://shop.example.com:8080/'),
      /found no listener at port 8080, expected a port of the Gateways \(infra\/edge\): 80, 443/,
    ],
    [
      'another Gateway',
      () => expect(app).toRoute(CART, { gateway: 'infra/none' }),
      /found no Gateway infra\/none, expected one of the app: infra\/edge/,
    ],
    [
      'a Service without its namespace',
      () => expect(app).toRoute(CART).to('cart'),
      /expected a Service with/,
    ],
    ['a share denied', () => expect(app).not.toRoute(CART).to('shop/gold').withShare(0.5), /can't be denied/],
    ['a share of 25', () => expect(app).toRoute(CART).to('shop/cart').withShare(25), /above 0 and up to 1/],
    ['a promise', () => expect(Promise.resolve(app)).resolves.toRoute(CART), /can't follow .resolves/],
    ['no app', () => expect(undefined).toRoute(CART), /found undefined, expected an App of cdk8s/],
    [
      'a chart',
      () => expect(makeApp().chart).toRoute(CART),
      /found the construct shop, which is a part of an app/,
    ],
  ])('%s is refused in words', async (_, statement, problem) => {
    await expect(async () => statement()).rejects.toThrow(problem);
  });
});

describe('an app that changes after it was asked', () => {
  const { app: changing, store, addRoute } = makeApp();

  it('is asked', () => {
    expect(changing).toRoute('http://shop.example.com/later').toReject(404);
    addRoute('later')
      .rule({ path: exact('/later') })
      .to(service('later', 80));
  });

  it('is read anew by the next test where constructs were added', () => {
    expect(changing).toRoute('http://shop.example.com/later').to('shop/later');
  });

  it('and refused at the end where others were altered', () => {
    store.rule({ path: prefix('/altered') }).to(service('altered', 80));
    expect(refuseChanged).toThrow(/an app was changed after expect\(app\) had asked it/);
    expect(changing).toRoute('http://shop.example.com/altered').to('shop/altered');
    expect(refuseChanged).not.toThrow();
  });
});

describe('toHaveNoShadowedRules', () => {
  it('holds where each rule can be reached', () => {
    expect(app).toHaveNoShadowedRules();
  });

  it('names those that can not, and what takes their requests', () => {
    const { app: shadowing, store } = makeApp();
    store.rule({ path: prefix('/cart') }).to(service('other', 80));
    expect(shadowing).not.toHaveNoShadowedRules();
    const message = failureOf(() => expect(shadowing).toHaveNoShadowedRules());
    expect(message).toContain('Received: 1 that can');
    expect(message.replace(/\s+/g, ' ')).toContain(
      '[shop/store] spec.rules[4] of HTTPRoute/shop/store (shop/store) is never reached',
    );
    expect(message.split('\n').filter((line) => line.length > 80)).toEqual([]);
  });
});

describe('toTouchOnly', () => {
  it('holds where every object is of the team, and names those that are not', () => {
    const ofShop = synthesize(app)
      .objects.map(({ object }) => object)
      .filter(({ metadata }) => (metadata as { namespace?: string }).namespace === 'shop');
    expect(ofShop).toTouchOnly('shop');
    expect(ofShop).not.toTouchOnly('media');
    const message = failureOf(() => expect(app).toTouchOnly('shop'));
    expect(message).toMatch(
      /^expect\(app\)\.toTouchOnly\("shop"\)\n\nExpected: all objects of the app are of team shop\nReceived:\n/,
    );
    // What admission of the gateway needs besides is whatever it is.
    expect(
      message.split('\n').filter((line) => line.startsWith('  ') && !/^ {4}|admission|Role/i.test(line)),
    ).toEqual([
      '  Namespace infra, of infra (platform/Namespace)',
      '  Namespace media, of media (platform/media)',
      '  Gateway infra/edge, of infra (platform/edge)',
      '  Grant infra/edge-shop, of infra (platform/edge/Grants/shop)',
      '  Grant infra/edge-media, of infra (platform/edge/Grants/media)',
      '  ListenerSet infra/edge-shop, of infra (platform/edge/shop)',
      '  ListenerSet infra/edge-media, of infra (platform/edge/media)',
      '  HTTPRoute media/site, of media (media/site)',
    ]);
  });

  it('holds of a change that moves only requests of the team', () => {
    const { app: after, store } = makeApp();
    store.rule({ path: prefix('/more') }).to(service('more', 80));
    expect(after).toTouchOnly('shop', { since: app });
    expect(after).not.toTouchOnly('media', { since: app });
    const message = failureOf(() => expect(after).toTouchOnly('media', { since: app }));
    expect(message).toContain('Expected: no request of others goes another way than before');
    expect(message).toContain('NEW: answered with an error before');
    expect(message).toContain('shop/more:80');
    expect(message.split('\n').filter((line) => line.length > 80)).toEqual([]);
  });

  it('is refused without a team', () => {
    expect(() => expect(app).toTouchOnly('')).toThrow(/found "", expected the name of a team/);
  });
});

it('a thousand assertions read the app once', () => {
  const { app: fresh } = makeApp();
  const toJson = jest.spyOn(ApiObject.prototype, 'toJson');
  expect(fresh).toRoute(CART).to('shop/cart');
  const times = toJson.mock.calls.length;
  for (let i = 0; i < 1_000; i++) expect(fresh).toRoute(`${CART}/${i}`).to('shop/cart');
  expect(toJson.mock.calls.length).toBe(times);
  toJson.mockRestore();
});

describe('an app by its path', () => {
  const folder = mkdtempSync(join(tmpdir(), 'gatewright-jest-'));
  afterAll(() => rmSync(folder, { recursive: true }));
  const manifest = join(folder, 'all.json');
  const write = (change: (text: string) => string) => {
    const items = synthesize(app).objects.map(({ object }) => object);
    writeFileSync(manifest, change(JSON.stringify({ apiVersion: 'v1', kind: 'List', items })));
  };

  it('is read as by the command line: a module', () => {
    expect('tests/jest/app.ts').toRoute(CART, GOLD).to('shop/gold');
  });

  it('or manifests, which are read again once they are edited', () => {
    write((text) => text);
    expect(folder).toRoute(CART).to('shop/cart');
  });

  it('(the edit)', () => {
    write((text) => text.replaceAll('"/cart"', '"/trolley"'));
    expect(folder).toRoute(CART).toReject(404);
    expect(folder).toRoute('https://shop.example.com/trolley').to('shop/cart');
  });

  it('and says what is wrong with it', () => {
    expect(() => expect('tests/jest/none.ts').toRoute(CART)).toThrow(/^tests\/jest\/none\.ts: no such file/);
    write((text) => text.replaceAll('"/cart"', '7'));
    expect(() => expect(manifest).toRoute(CART)).toThrow(/all\.json has errors:\nerror .*found 7, expected/);
  });
});
