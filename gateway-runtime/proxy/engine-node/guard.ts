/** What callbacks of node:http are wrapped in: nothing that one throws may end the process. */
export type Guard = <A extends unknown[]>(callback: (...args: A) => void) => (...args: A) => void;

/** @param onError ends what the callbacks are about */
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
