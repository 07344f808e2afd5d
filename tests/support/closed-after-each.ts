import { afterEach } from '@jest/globals';

/** For what a test starts: all of it is closed when that test has ended, the newest first. */
export function closedAfterEach(): <T extends { close(): Promise<unknown> }>(made: Promise<T>) => Promise<T> {
  const started: { close(): Promise<unknown> }[] = [];
  afterEach(async () => {
    for (const each of started.splice(0).reverse()) await each.close();
  });
  return async (made) => {
    const one = await made;
    started.push(one);
    return one;
  };
}
