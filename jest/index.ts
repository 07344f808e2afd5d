/**
 * `gatewright/jest`: what the teams of an app expect of it, as tests. Import it in a test, or name it in `setupFilesAfterEnv`.
 *
 *     import { expect, test } from '@jest/globals';
 *     import 'gatewright/jest';
 *
 *     test('gold customers have a cart of their own', () => {
 *       expect(app).toRoute('GET https://shop.example.com/cart', { headers: { 'x-tier': 'gold' } }).to('shop/cart-gold');
 *     });
 *
 * The answers are those of `gatewright explain`, and a test that fails shows them. Nothing is sent.
 */
import { afterAll, afterEach, expect } from '@jest/globals';
import { type Askable, askedApp, type Question, refuseChanged } from './asked-app.ts';
import { refuseOpen } from './open-statements.ts';
import { type Routed, routed, type Verdict } from './routed.ts';
import { appTouchesOnly, changeTouchesOnly } from './touch-only.ts';
import { noShadowedRules } from './whole-app.ts';

export type { Askable, Question } from './asked-app.ts';
export type { Routed, Shared } from './routed.ts';

/** @typeParam R what jest's own matchers return: a promise after `.resolves`, which these can't follow */
export interface GatewrightMatchers<R> {
  /**
   * Where a request goes. One of `.to()`, `.toRedirect()` and `.toReject()` must follow.
   *
   * @param request `GET https://shop.example.com/cart`; without a method GET; the port is that of the Gateway
   */
  toRoute(request: string, question?: Question): R extends void ? Routed : never;
  /** No rule is there in vain: none whose requests another one, or another listener, takes all. */
  toHaveNoShadowedRules(): R;
  /**
   * All objects of the app are of this team. With `since`, an earlier form of the app: all requests that go another way now are of
   * routes of this team, or of none.
   */
  toTouchOnly(team: string, options?: { readonly since?: Askable }): R;
}

declare module 'expect' {
  interface Matchers<R extends void | Promise<void>, T = unknown> extends GatewrightMatchers<R> {}
}

declare global {
  // Of @types/jest, whose `expect` is global.
  namespace jest {
    // biome-ignore lint/complexity/noBannedTypes: an interface is added to under its own type parameters
    interface Matchers<R, T = {}> extends GatewrightMatchers<R> {}
  }
}

interface Context {
  readonly isNot?: boolean;
  readonly promise?: string;
  readonly currentTestIdentity?: () => object | undefined;
  readonly currentTestName?: string;
}

/** Who asks: whatever changed since another test asked is read anew. */
const testOf = ({ currentTestIdentity, currentTestName }: Context): unknown =>
  currentTestIdentity?.() ?? currentTestName;

/** Awaited by jest, which takes what `then` gives for a promise of the assertion: here it is the rest of the sentence. */
interface Chained {
  then(settle: (verdict: Verdict) => void): { catch(): Routed };
}

function toRoute(this: Context, app: Askable, request: string, question: Question = {}): Chained {
  refuseOpenOutsideOfTests();
  if (this.promise) {
    throw new TypeError(`toRoute() can't follow .${this.promise}: await the app, and ask that`);
  }
  if (typeof request !== 'string') {
    throw new TypeError(
      `toRoute() found ${JSON.stringify(request)}, expected a request such as 'GET https://shop.example.com/cart'`,
    );
  }
  const place = new Error();
  Error.captureStackTrace(place, toRoute);
  const asked = askedApp(app, testOf(this)).ask(request, question);
  return {
    // biome-ignore lint/suspicious/noThenProperty: it is meant to be taken for a promise
    then: (settle) => {
      const sentence = routed({ request, asked, isNot: this.isNot ?? false, settle, place });
      return { catch: () => sentence };
    },
  };
}

function toHaveNoShadowedRules(this: Context, app: Askable): Verdict {
  return noShadowedRules(askedApp(app, testOf(this)));
}

function toTouchOnly(
  this: Context,
  app: Askable,
  team: string,
  { since }: { since?: Askable } = {},
): Verdict {
  if (typeof team !== 'string' || team === '') {
    throw new TypeError(`toTouchOnly() found ${JSON.stringify(team)}, expected the name of a team`);
  }
  const after = askedApp(app, testOf(this));
  return since === undefined
    ? appTouchesOnly(team, after)
    : changeTouchesOnly(team, askedApp(since, testOf(this)), after);
}

expect.extend({ toRoute, toHaveNoShadowedRules, toTouchOnly } as unknown as Parameters<
  typeof expect.extend
>[0]);

let refuseOpenOutsideOfTests: () => void = () => {};
try {
  afterEach(refuseOpen);
  afterAll(refuseChanged);
} catch {
  // Imported by a test that runs already: a statement that was left open is refused by the next.
  refuseOpenOutsideOfTests = refuseOpen;
}
