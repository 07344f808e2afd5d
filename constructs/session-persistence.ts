/** Whether a rule keeps a client at one endpoint: `sessionPersistence: { type: 'Cookie', absoluteTimeout: '1h' }`. */
import { apiDuration, type TimeSpan, timeSpan } from './duration.ts';
import { oneOf, optional, read, type Shape, text } from './props.ts';

export interface SessionPersistence {
  /**
   * How a client shows its session.
   * @default 'Cookie'
   */
  readonly type?: 'Cookie' | 'Header';
  /**
   * The name of the cookie or header.
   * @default - made by the gateway
   */
  readonly sessionName?: string;
  /**
   * How long a session lasts, at most.
   * @default - as long as its endpoint does
   */
  readonly absoluteTimeout?: TimeSpan;
  /**
   * How long a browser keeps the cookie: while it runs, or as long as `absoluteTimeout` says, which is needed then.
   * @default 'Session'
   */
  readonly cookieLifetime?: 'Session' | 'Permanent';
}

const SESSION: Shape<SessionPersistence> = {
  type: optional(oneOf('Cookie', 'Header')),
  sessionName: optional(text),
  absoluteTimeout: optional(timeSpan),
  cookieLifetime: optional(oneOf('Session', 'Permanent')),
};

const readSession = (given: SessionPersistence) => read('sessionPersistence', given, SESSION);

/** What is wrong inside of it. */
export const sessionProblems = (given: SessionPersistence): readonly string[] => readSession(given).problems;

/** In the form of the API, without what is wrong. */
export function apiSession(given: SessionPersistence): Record<string, unknown> {
  const { type, sessionName, absoluteTimeout, cookieLifetime } = readSession(given).props;
  return {
    type,
    sessionName,
    absoluteTimeout: absoluteTimeout && apiDuration(absoluteTimeout),
    cookieConfig: cookieLifetime && { lifetimeType: cookieLifetime },
  };
}
