/** What is said of a request after `expect(app).toRoute(...)`: where it goes. */
import { explainedText } from '../gateway-runtime/explain/text.ts';
import type { Asked } from './asked-app.ts';
import { begin, end } from './open-statements.ts';
import { type Outcome, outcomeInWords, percent } from './outcome.ts';

/** The share of requests of which something was said. */
export interface Shared {
  /**
   * How many of such requests, from 0 to 1, to a tenth of a percent. Where it is not all of them it must be said: a test that
   * leaves it out fails at its end.
   */
  withShare(share: number): void;
}

/** A request, of which one thing is to be said: one that is said of none makes the test fail at its end. */
export interface Routed {
  /** It goes to this Service: `shop/cart` (whatever its port), or `shop/cart:8080`. */
  to(service: string): Shared;
  /** The gateway redirects it: to this URL, with this status, where they are given. */
  toRedirect(expected?: string | { readonly location?: string; readonly status?: number }): Shared;
  /** The gateway answers it with an error: with this status where it is given, else with any, or refuses the connection. */
  toReject(status?: number): Shared;
}

export interface Verdict {
  readonly pass: boolean;
  readonly message: () => string;
}

export interface RoutedOptions {
  /** As the test wrote it. */
  readonly request: string;
  readonly asked: Asked;
  readonly isNot: boolean;
  /** Hands a verdict to jest, which throws where it is not the one that was asked for. */
  readonly settle: (verdict: Verdict) => void;
  /** Made where the test says it. */
  readonly place: Error;
}

const SERVICE = /^(?:Service )?([a-z0-9][a-z0-9.-]*\/[a-z0-9][a-z0-9.-]*?)(:[0-9]+)?$/;
/** A tenth of a percent, and what adding up weights loses. */
const TOLERANCE = 0.0005 + 1e-9;

export function routed(options: RoutedOptions): Routed {
  const { request, isNot, place } = options;
  const key = {};
  const subject = `expect(app)${isNot ? '.not' : ''}.toRoute(${JSON.stringify(request)})`;
  begin(
    key,
    () =>
      `${subject} says nothing yet: where does the request go?\nExpected: .to('namespace/service'), .toRedirect() or .toReject() after it`,
    place,
  );
  const claim = (call: string, wanted: string, holds: (outcome: Outcome) => boolean): Shared => {
    end(key);
    return settled({ ...options, said: `${subject}${call}`, wanted }, holds);
  };
  return {
    to(service) {
      const [, name, port] = typeof service === 'string' ? (SERVICE.exec(service) ?? []) : [];
      if (name === undefined) {
        end(key);
        throw new TypeError(
          `${subject}.to() found ${JSON.stringify(service)}, expected a Service with its namespace, such as 'shop/cart' or 'shop/cart:8080'`,
        );
      }
      const full = `Service ${name}`;
      return claim(`.to('${service}')`, `to ${service}`, ({ backend }) =>
        port === undefined ? backend?.replace(/:\d+$/, '') === full : backend === `${full}${port}`,
      );
    },
    toRedirect(expected) {
      const { location, status } = typeof expected === 'string' ? { location: expected } : (expected ?? {});
      const given = expected === undefined ? '' : JSON.stringify(expected);
      const wanted = `redirected${status === undefined ? '' : ` with ${status}`}${location === undefined ? '' : ` to ${location}`}`;
      return claim(
        `.toRedirect(${given})`,
        wanted,
        (each) =>
          each.location !== undefined &&
          (location === undefined || each.location === location) &&
          (status === undefined || each.status === status),
      );
    },
    toReject(status) {
      const wanted = `rejected${status === undefined ? '' : ` with ${status}`}`;
      return claim(`.toReject(${status ?? ''})`, wanted, (each) => {
        const isRejected =
          each.backend === undefined && each.location === undefined && (each.status ?? 400) >= 400;
        return isRejected && (status === undefined || each.status === status);
      });
    },
  };
}

interface Claim extends RoutedOptions {
  /** The statement so far. */
  readonly said: string;
  /** What was expected, in words. */
  readonly wanted: string;
}

function settled(claim: Claim, holds: (outcome: Outcome) => boolean): Shared {
  const { asked, isNot, settle, said, wanted, place } = claim;
  const { outcomes } = asked;
  const share = outcomes.filter(holds).reduce((sum, each) => sum + each.share, 0);
  const message = (call: string, expected: string) => () => {
    const explained = asked.explain();
    return [
      `${said}${call}`,
      '',
      `Expected: ${expected}`,
      `Received: ${outcomes.map(outcomeInWords).join(', ')}`,
      '',
      explainedText(explained, (gateway) => (explained.others.length > 0 ? `Gateway ${gateway}` : '')),
    ].join('\n');
  };
  settle({ pass: share > 0, message: message('', `${isNot ? 'not ' : ''}${wanted}`) });
  const key = {};
  if (share > 0 && share < 1 - TOLERANCE) {
    begin(
      key,
      message(
        '',
        `${wanted}, for all requests, or .withShare(${Math.round(share * 1_000) / 1_000}) after it`,
      ),
      place,
    );
  }
  return {
    withShare(expected) {
      end(key);
      if (isNot) {
        throw new TypeError(
          `${said}.withShare() can't be denied: say which share it has, without .not, or leave .withShare() out where it has none`,
        );
      }
      if (typeof expected !== 'number' || !(expected > 0 && expected <= 1)) {
        throw new TypeError(
          `${said}.withShare() found ${JSON.stringify(expected)}, expected a number above 0 and up to 1, such as 0.25${expected === 0 ? '; of what gets nothing say .not' : ''}`,
        );
      }
      settle({
        pass: Math.abs(share - expected) <= TOLERANCE,
        message: message(`.withShare(${expected})`, `${wanted} for ${percent(expected)}`),
      });
    },
  };
}
