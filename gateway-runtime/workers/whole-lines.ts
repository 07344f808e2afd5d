/** Lines out of a pipe, so that those of several processes can be written to one file. Of what a process that ends had begun, nothing is left. */

/** Bytes of a line that has not ended. One line of the access log is far below; what is above is left out. */
const LONGEST = 1024 * 1024;
const LINE_END = 0x0a;

export class WholeLines {
  readonly #onLines: (lines: string, count: number) => void;
  #rest: Buffer[] = [];
  #size = 0;
  #isSkipping = false;

  /** Called with lines as they came, without the last line end, and how many they are. */
  constructor(onLines: (lines: string, count: number) => void) {
    this.#onLines = onLines;
  }

  push(octets: Buffer): void {
    const end = octets.lastIndexOf(LINE_END);
    if (end < 0) {
      this.#keep(octets);
      return;
    }
    const from = this.#isSkipping ? octets.indexOf(LINE_END) + 1 : 0;
    this.#isSkipping = false;
    const whole = Buffer.concat([...this.#rest, octets.subarray(from, Math.max(from, end))]);
    const hasLines = this.#size > 0 || end >= from;
    this.#rest = [];
    this.#size = 0;
    if (hasLines) this.#onLines(whole.toString(), linesIn(whole));
    this.#keep(octets.subarray(end + 1));
  }

  #keep(octets: Buffer): void {
    if (octets.length === 0 || this.#isSkipping) return;
    this.#size += octets.length;
    this.#rest.push(octets);
    if (this.#size <= LONGEST) return;
    this.#rest = [];
    this.#size = 0;
    this.#isSkipping = true;
  }
}

function linesIn(octets: Buffer): number {
  let count = 1;
  for (let at = octets.indexOf(LINE_END); at >= 0; at = octets.indexOf(LINE_END, at + 1)) count++;
  return count;
}
