/**
 * Requests at a steady pace, whether or not earlier ones were answered, so that a slow answer counts for all that it delayed:
 * `node paced-load.ts PORT ROUTES RATE SECONDS` prints the microseconds from when each was due to its answer, p50 and p99.
 */
import { connect, type Socket } from 'node:net';

const [port, routes, rate, seconds] = process.argv.slice(2).map(Number) as [number, number, number, number];
const CONNECTIONS = 64;
const ANSWER = 1024;
const total = Math.round(rate * seconds);
const times = new Float64Array(total);
const requests = Array.from(
  { length: routes },
  (_, n) => `GET /api/v${n}/items HTTP/1.1\r\nHost: h${n}.example.com\r\nUser-Agent: bench/1.0\r\n\r\n`,
);
/** When they should have been sent, of those that found every connection taken. */
const late: number[] = [];
const idle: Connection[] = [];
let begun = 0;
let answered = 0;

const done = Promise.withResolvers<void>();
const buffer = Buffer.allocUnsafeSlow(64 * 1024);

class Connection {
  readonly #socket: Socket;
  /** Of the head, as long as it is not whole. */
  #head = '';
  /** Of the body; negative before it. */
  #left = -1;
  #due = 0;

  constructor(onConnect: () => void) {
    const callback = (length: number) => {
      this.#read(length);
      return true;
    };
    const options = { port, host: '127.0.0.1', noDelay: true, onread: { buffer, callback } };
    this.#socket = connect(options, onConnect).on('error', done.reject);
  }

  send(due: number): void {
    this.#due = due;
    this.#left = -1;
    this.#socket.write(requests[(begun++ * 7) % routes]!, 'latin1');
  }

  #read(length: number): void {
    if (this.#left < 0) {
      this.#head += buffer.toString('latin1', 0, length);
      const end = this.#head.indexOf('\r\n\r\n');
      if (end < 0) return;
      if (!this.#head.startsWith('HTTP/1.1 200')) done.reject(new Error(this.#head.slice(0, end)));
      this.#left = ANSWER - (this.#head.length - end - 4);
      this.#head = '';
    } else this.#left -= length;
    if (this.#left > 0) return;
    times[answered++] = performance.now() - this.#due;
    if (answered === total) done.resolve();
    else if (late.length > 0) this.send(late.shift()!);
    else idle.push(this);
  }
}

for (let i = 0; i < CONNECTIONS; i++) {
  await new Promise<void>((resolve) => {
    idle.push(new Connection(resolve));
  });
}
let next = 0;
const began = performance.now();
const tick = () => {
  const now = performance.now();
  while (next < total && began + (next * 1_000) / rate <= now) {
    const due = began + (next++ * 1_000) / rate;
    const connection = idle.pop();
    if (connection) connection.send(due);
    else late.push(due);
  }
  if (next < total) setImmediate(tick);
};
tick();
await done.promise;
const sorted = times.sort();
const at = (share: number) => Math.round(sorted[Math.floor(share * (total - 1))]! * 1_000);
process.stdout.write(`${JSON.stringify({ p50: at(0.5), p99: at(0.99) })}\n`);
process.exit();
