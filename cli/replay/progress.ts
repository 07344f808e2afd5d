/** How far a log has been read: one line that is written over on a terminal, a line now and then elsewhere. */

/** Milliseconds between two words about it. */
const PACE_TERMINAL = 250;
const PACE_ELSEWHERE = 10_000;
const MIB = 1024 * 1024;

export interface Progress {
  readonly at: (log: string, octets: number, size: number | undefined) => void;
  readonly end: () => void;
}

export function progressOn(stream: NodeJS.WriteStream): Progress {
  const pace = stream.isTTY ? PACE_TERMINAL : PACE_ELSEWHERE;
  let last = Date.now();
  let isShown = false;
  return {
    at(log, octets, size) {
      const now = Date.now();
      if (now - last < pace) return;
      last = now;
      const text = `${log}: ${Math.round(octets / MIB)} MiB${size ? `, ${Math.floor((octets / size) * 100)} %` : ''}`;
      isShown = stream.isTTY;
      stream.write(stream.isTTY ? `\r\x1b[K${text}` : `${text}\n`);
    },
    end() {
      if (isShown) stream.write('\r\x1b[K');
    },
  };
}
