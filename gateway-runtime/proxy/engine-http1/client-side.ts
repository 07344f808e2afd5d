/** The client's side of an exchange, whichever version of HTTP it speaks: what an exchange asks of it. */
import type { Socket } from 'node:net';
import type { LocalReply } from '../../filters/definition.ts';
import type { ClientConnection } from '../exchange.ts';
import type { PlacedClient } from '../places/place.ts';
import type { EngineContext } from './engine.ts';
import type { Http1Exchange } from './exchange.ts';
import type { Head } from './head.ts';

/** A connection from a client. */
export interface Client extends PlacedClient {
  /** Requests under way. */
  eachExchange(visit: (exchange: Http1Exchange) => void): void;
  /** Asks the client to send no further request here. */
  retire(): void;
  /** No further request. */
  drain(): void;
}

export interface ClientSide {
  readonly context: EngineContext;
  readonly connection: ClientConnection;
  /** Such as `HTTP/1.1`. */
  readonly protocol: string;
  readonly answer: AnswerWriter;
  /** The body of the request was received to its end. */
  readonly isBodyRead: boolean;
  /** Whether the connection ends with the answer to the request in progress. */
  readonly closing: boolean;
  /** More of the body is wanted, if there is more. */
  resume(): void;
  /** The client is being served. */
  touch(): void;
  /** When something moved last, by the engine's clock. */
  readonly since: number;
  /** To be asked after each write of a body: whether the client has to take all of it until more is read for it (`unsent.ts`). `onClientDrain` follows. */
  isBehind(): boolean;
  /** The client holds up its own request while others wait: the request ends. */
  giveUp(): void;
  /** What comes is not the rest of the body, or not wanted: the request is answered so, or where it is too late for that, broken off. */
  failBody(status: number): void;
  /** The answer was handed over, and the exchange is over. */
  answered(close: boolean): void;
  /** Ends what was begun, so that the client can't take the answer for whole. */
  reset(): void;
  destroy(): void;
  /** A callback threw: what it concerns ends. */
  fail(error: unknown): void;
  /** After a switch of protocols: gives the socket away. */
  detach(): Socket;
}

/** Either a reply, or any number of interim responses, a response, its body and its end. */
export interface AnswerWriter {
  /** All of it at once. Gives the octets of its body that are sent. Throws where a field can't be sent. */
  reply(reply: LocalReply, isHead: boolean, close: boolean): number;
  /** An interim response (1xx). */
  inform(head: Head): void;
  /** Whether the end of this response can be told only by that of the connection. */
  endsWithConnection(head: Head, hasBody: boolean): boolean;
  /**
   * The head, which may wait for the first octets of the body or for `flush`. Gives the status that is sent.
   *
   * @param received status that the backend gave
   * @param hasBody whether a body may follow
   */
  respond(head: Head, received: number, hasBody: boolean, close: boolean): number;
  /** False where the client is slow: `onClientDrain` of the exchange follows. */
  sendBody(octets: Buffer, start: number, end: number, owned: boolean): boolean;
  /** `trailers`: field lines, each with its line end. */
  endBody(trailers: string): void;
  flush(): void;
}
