/** Says what is going on, on standard error: nothing for what is quick, a line every 15 s for what lasts. */

/** What has passed since then, by `performance.now()`. */
export const secondsSince = (then: number) => `${((performance.now() - then) / 1000).toFixed(1)} s`;

export function say(line: string): void {
  process.stderr.write(`${line}\n`);
}

/** Does the work; tells that it began once it has lasted a second, and how long it took in the end. */
export async function timed<T>(what: string, work: () => Promise<T>): Promise<T> {
  const start = performance.now();
  let told = false;
  const tell = () => {
    say(told ? `${what}: ${secondsSince(start)} so far` : `${what} ...`);
    told = true;
    timer = setTimeout(tell, 15_000);
  };
  let timer = setTimeout(tell, 1000);
  try {
    const result = await work();
    if (told) say(`${what}: ${secondsSince(start)}`);
    return result;
  } finally {
    clearTimeout(timer);
  }
}
