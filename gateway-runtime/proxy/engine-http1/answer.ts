/** Answers on a connection of HTTP/1.1, one after the other: heads and framing. */
import { STATUS_CODES } from 'node:http';
import type { LocalReply } from '../../filters/definition.ts';
import type { AnswerWriter } from './client-side.ts';
import type { Clock } from './clock.ts';
import type { Head } from './head.ts';
import { dropListed, replyHead, responseHead } from './message-head.ts';
import { sendBody } from './send-body.ts';
import type { Wire } from './transport.ts';

const octetsOf = (body: LocalReply['body']): Buffer =>
  typeof body === 'string' ? Buffer.from(body) : Buffer.from(body.buffer, body.byteOffset, body.byteLength);

export class Answer implements AnswerWriter {
  readonly #wire: Wire;
  readonly #clock: Clock;
  /** Of the request that is answered. */
  readonly #request: Head;
  /** Head of the response, until it goes along with the first octets of its body. */
  #pending = '';
  #chunked = false;

  constructor(wire: Wire, clock: Clock, request: Head) {
    this.#wire = wire;
    this.#clock = clock;
    this.#request = request;
  }

  reply(reply: LocalReply, isHead: boolean, close: boolean): number {
    const head = replyHead(reply, close, this.#clock.date);
    if (isHead || reply.body.length === 0 || reply.status === 204 || reply.status === 304) {
      this.#wire.write(head, 'latin1');
      return 0;
    }
    const body = octetsOf(reply.body);
    sendBody(this.#wire, head, false, body, 0, body.length, true);
    return body.length;
  }

  inform(head: Head): void {
    if (this.#request.minor === 0) return;
    if (head.status === 100) {
      this.#wire.write('HTTP/1.1 100 Continue\r\n\r\n', 'latin1');
      return;
    }
    dropListed(head);
    head.remove('content-length');
    const line = `HTTP/1.1 ${head.status} ${STATUS_CODES[head.status] ?? ''}\r\n`;
    this.#wire.write(`${line}${head.fields()}\r\n`, 'latin1');
  }

  endsWithConnection(head: Head, hasBody: boolean): boolean {
    return hasBody && head.length < 0 && this.#request.minor === 0;
  }

  respond(head: Head, received: number, hasBody: boolean, close: boolean): number {
    if (head.status === 204) head.drop(head.contentLength);
    this.#chunked = hasBody && head.length < 0 && this.#request.minor === 1;
    if (!this.#chunked && head.trailer >= 0) head.remove('trailer');
    const framing =
      (this.#chunked ? 'Transfer-Encoding: chunked\r\n' : '') + (close ? 'Connection: close\r\n' : '');
    this.#pending = responseHead(head, received, framing, this.#clock.date);
    return head.status;
  }

  sendBody(octets: Buffer, start: number, end: number, owned: boolean): boolean {
    const head = this.#pending;
    this.#pending = '';
    return sendBody(this.#wire, head, this.#chunked, octets, start, end, owned);
  }

  endBody(trailers: string): void {
    const last = this.#chunked ? `${this.#pending}0\r\n${trailers}\r\n` : this.#pending;
    this.#pending = '';
    if (last) this.#wire.write(last, 'latin1');
  }

  flush(): void {
    if (!this.#pending) return;
    this.#wire.write(this.#pending, 'latin1');
    this.#pending = '';
  }
}
