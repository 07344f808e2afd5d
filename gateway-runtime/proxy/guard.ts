/** What is given to the event loop (listeners, timers, callbacks of Node) is wrapped in: nothing that one throws may end the process. */
export type Guard = <A extends unknown[]>(callback: (...args: A) => void) => (...args: A) => void;

/**
 * Not per request where many come: there a `try` in what is called does the same without a closure.
 *
 * @param onError is told what is thrown, and ends what the callbacks are about
 */
export function guardedBy(onError: (error: unknown) => void): Guard {
  return (callback) =>
    (...args) => {
      try {
        callback(...args);
      } catch (error) {
        onError(error);
      }
    };
}
