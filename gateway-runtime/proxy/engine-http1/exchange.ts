/** A request on a client's connection and its way to an endpoint and back. */
import type { AuthorizationRequest, LocalReply } from '../../filters/definition.ts';
import type { BackendKey } from '../../snapshot/snapshot.ts';
import { isSlow } from '../allowance.ts';
import {
  type ClientConnection,
  type Exchange,
  Outcome,
  type Repeatable,
  type TargetEndpoint,
  type UpstreamFailure,
} from '../exchange.ts';
import { KeptBody } from '../kept-body.ts';
import { INTERNAL_ERROR, problemReply } from '../replies.ts';
import { ForwardedRequest, ReceivedRequest } from '../request.ts';
import type { RequestTarget, TargetProblem } from '../request-target.ts';
import { HALF_OPEN, tunnel } from '../tunnel.ts';
import type { ClientSide } from './client-side.ts';
import { Head } from './head.ts';
import { Inquiry } from './inquiry.ts';
import { dropListed, requestHead } from './message-head.ts';
import { Mirror } from './mirror.ts';
import type { ResponseSink, Upstream } from './upstream.ts';

/** Says that the body may be sent. */
const CONTINUE = new Head();
CONTINUE.status = 100;
/** Milliseconds for which a client may hold up its request while others wait for its place. */
export const GRACE = 500;
/** Octets of a body a second, on average, below which a client holds up its request. */
const SLOWEST = 16 * 1024;

export class Http1Exchange implements Exchange, ResponseSink {
  readonly connection: ClientConnection;
  readonly protocol: string;
  readonly problem?: TargetProblem;
  readonly request: ReceivedRequest;
  readonly upgrade?: string;
  readonly outcome = new Outcome();

  readonly #client: ClientSide;
  readonly #received: Head;
  readonly #target: RequestTarget | undefined;
  readonly hasBody: boolean;
  readonly #isHead: boolean;
  readonly #started = performance.now();
  #head: ForwardedRequest<Head> | undefined;
  #upstream: Upstream | undefined;
  #mirrors: Mirror[] | undefined;
  #kept: KeptBody | undefined;
  /** The body is received before anything is forwarded. */
  #isHolding = false;
  #inquiry: Inquiry | undefined;
  #trailers = '';
  /** The request's body was passed on to its end. */
  #requestSent: boolean;
  #expectsContinue: boolean;
  #bytesReceived = 0;
  /** Of the body, more than which is not let through. */
  #mostBytes = Number.POSITIVE_INFINITY;
  #bytesSent = 0;
  /** As sent; 0 before. */
  #status = 0;
  #writesBody = true;
  /** The end of the connection is the end of the body. */
  #isUntilClose = false;
  #close = false;
  /** The client reads too slowly. */
  #blocked = false;
  #ended = false;

  constructor(
    client: ClientSide,
    received: Head,
    target: RequestTarget | TargetProblem,
    hasBody: boolean,
    upgrade: string | undefined,
  ) {
    this.#client = client;
    this.#received = received;
    this.connection = client.connection;
    this.protocol = client.protocol;
    if ('message' in target) this.problem = target;
    else this.#target = target;
    this.request = new ReceivedRequest(received.method, this.#target, received);
    if (upgrade !== undefined) this.upgrade = upgrade;
    this.hasBody = hasBody;
    this.#requestSent = !hasBody;
    this.#isHead = received.method === 'HEAD';
    this.#expectsContinue = hasBody && received.expect >= 0;
  }

  /**
   * Milliseconds for which the request has been under way to this backend, where its own client holds it up. Undefined where it does not, or not for long.
   * `now` as of `performance.now()`.
   */
  heldUpFor(backend: BackendKey, now: number): number | undefined {
    return this.#upstream && this.outcome.backend === backend ? this.waitsFor(now, GRACE) : undefined;
  }

  /**
   * Milliseconds for which the request has been under way, where it waits for its own client: for more of a body that comes too slowly, or for the
   * client to read. In its first 500 nobody can tell what is slow, and any body or reading counts. Undefined where it does not wait, or is younger than `grace`.
   * `isCall`: what is answered while it goes on, as calls of gRPC are, may take its time with the rest.
   */
  waitsFor(now: number, grace: number, isCall = false): number | undefined {
    const time = now - this.#started;
    if (time < grace) return undefined;
    const isSilent = time < GRACE || this.#client.context.clock.now - this.#client.since >= GRACE;
    const isSlow = isSilent || (this.#bytesReceived * 1_000) / time < SLOWEST;
    const isBodyDue = !this.#requestSent && !this.#expectsContinue && !(isCall && this.hasBegun);
    const isBodySlow = isSlow && isBodyDue && (this.#blocked || this.takesBody);
    return isBodySlow || (this.#blocked && isSilent) ? time : undefined;
  }

  /** Milliseconds for which the request has waited behind others, since its client held up one before; undefined where it has not. */
  standsBackFor(now: number): number | undefined {
    return this.outcome.isPending && isSlow(this) ? now - this.#started : undefined;
  }

  giveUp(): void {
    try {
      this.#client.giveUp();
    } catch (error) {
      this.fail(error);
    }
  }

  /** Hands the request to the pipeline. */
  start(): void {
    try {
      this.#client.context.handler.onRequest(this);
    } catch (error) {
      this.fail(error);
    }
  }

  get head(): ForwardedRequest<Head> {
    if (!this.#head) {
      dropListed(this.#received);
      const { tls, port } = this.connection;
      const scheme = tls ? 'https' : 'http';
      const { authority } = this.#target!;
      this.#head = new ForwardedRequest(this.request, authority, scheme, port, this.#received);
    }
    return this.#head;
  }

  reply(reply: LocalReply): void {
    this.#close = this.#mustClose;
    this.#status = reply.status;
    this.#bytesSent += this.#client.answer.reply(reply, this.#isHead, this.#close);
    this.#finish();
  }

  forward(endpoint: TargetEndpoint, fresh: boolean, timed: boolean): void {
    const { context } = this.#client;
    // First, because it throws where a field can't be sent.
    const head = this.#requestHead();
    const upstream = context.pool.upstream(endpoint, fresh, this.upgrade !== undefined);
    if (!upstream) {
      context.handler.onFailure(this, 'overloaded', 'always');
      return;
    }
    this.#upstream = upstream;
    upstream.begin(this, head, this.#isHead, this.hasBody, this.#received.chunked, timed);
    const isBodyKept = this.#bytesReceived > 0 || (this.hasBody && this.#requestSent);
    if (this.#mirrors) {
      for (const mirror of this.#mirrors) {
        if (mirror.start(this.#received.chunked) && isBodyKept) this.#sendKept(mirror);
      }
    }
    if (isBodyKept) this.#sendKept(upstream);
    // An idle connection is ready at once, and says so to nobody.
    if (!this.#requestSent && upstream.isReady) this.#client.resume();
  }

  /** What was received before. It is little, so the socket takes it before it is connected, too. */
  #sendKept(upstream: Upstream | Mirror): void {
    for (const chunk of this.#kept?.chunks ?? []) upstream.sendBody(chunk, 0, chunk.length, true);
    if (this.#requestSent) upstream.endBody(this.#trailers);
  }

  boundBody(most: number): boolean {
    this.#mostBytes = most;
    if (this.#received.length <= most) return true;
    // To read all of it in order to use the connection again is what the bound is against.
    this.#received.close = true;
    return false;
  }

  keepBody(most: number): void {
    if (this.hasBody) this.#kept ??= new KeptBody(most);
  }

  holdBody(most: number): void {
    const { handler } = this.#client.context;
    const isHere = this.#requestSent;
    if (isHere || this.#received.length > most) {
      handler.onBody(this, isHere && (this.#kept?.bytes ?? 0) <= most);
      return;
    }
    this.#kept = new KeptBody(most);
    this.#isHolding = true;
    if (this.#expectsContinue) {
      this.#expectsContinue = false;
      this.#client.answer.inform(CONTINUE);
    }
    this.head.remove('expect');
    this.#client.resume();
  }

  #onBody(isWhole: boolean): void {
    this.#isHolding = false;
    try {
      this.#client.context.handler.onBody(this, isWhole);
    } catch (error) {
      this.fail(error);
    }
  }

  get heldBody(): readonly Buffer[] {
    return this.#kept?.chunks ?? [];
  }

  authorize(endpoint: TargetEndpoint, request: AuthorizationRequest, fresh: boolean): void {
    this.#inquiry = new Inquiry(this.#client.context, this);
    this.#inquiry.send(endpoint, request, fresh);
  }

  get isRepeatable(): boolean {
    return this.#bytesReceived === 0 || this.#kept?.chunks !== undefined;
  }

  #requestHead(): string {
    return requestHead(this.head, this.hasBody, this.upgrade);
  }

  mirror(endpoint: TargetEndpoint): void {
    const { context } = this.#client;
    const mirror = new Mirror(context, endpoint, this.#requestHead(), this.head.method, this.hasBody);
    this.#mirrors ??= [];
    this.#mirrors.push(mirror);
  }

  expire(): void {
    if (this.#ended) return;
    const isConnecting = this.#upstream?.isConnecting ?? false;
    this.#dropUpstream();
    try {
      if (isConnecting) this.onUpstreamFailure('connect-timeout', 'always');
      else this.onUpstreamFailure('timeout', 'never');
    } catch (error) {
      this.fail(error);
    }
  }

  /** Whether the answer is on its way to the client. */
  get hasBegun(): boolean {
    return this.#status !== 0;
  }

  get #mustClose(): boolean {
    const client = this.#client;
    // Who waits for 100 Continue may send its body after a final answer, or not: nobody knows what comes next.
    return client.closing || this.upgrade !== undefined || (this.#expectsContinue && !client.isBodyRead);
  }

  // The body of the request.

  /** Whether a part of the body can be sent now. */
  get takesBody(): boolean {
    return this.#isHolding || (this.#upstream?.isReady ?? false);
  }

  onRequestBody(octets: Buffer, start: number, end: number, owned: boolean): void {
    this.#bytesReceived += end - start;
    if (this.#bytesReceived > this.#mostBytes) {
      this.outcome.refusal = 'request-too-large';
      // Before anything can take what follows for the end of the request.
      this.#dropUpstream();
      this.#dropMirrors();
      this.#client.failBody(413);
      return;
    }
    this.#kept?.add(octets, start, end);
    if (this.#isHolding) {
      if (!this.#kept!.chunks) this.#onBody(false);
      return;
    }
    this.#upstream?.sendBody(octets, start, end, owned);
    if (this.#mirrors) for (const mirror of this.#mirrors) mirror.sendBody(octets, start, end, owned);
  }

  onRequestEnd(trailers: string): void {
    this.#requestSent = true;
    this.#trailers = trailers;
    if (this.#isHolding) {
      this.#onBody(true);
      return;
    }
    this.#upstream?.endBody(trailers);
    if (this.#mirrors) for (const mirror of this.#mirrors) mirror.endBody(trailers);
  }

  /** All that was received was passed on. */
  flushRequest(): void {
    this.#upstream?.flush();
    if (this.#mirrors) for (const mirror of this.#mirrors) mirror.flush();
  }

  /** The body is not one. False where it is too late to say so. */
  failBody(status: number): boolean {
    if (this.#status !== 0) return false;
    this.#dropUpstream();
    if (this.#bytesReceived > this.#mostBytes) {
      this.#onBodyTooLarge();
      return true;
    }
    const message =
      status === 408
        ? 'the body of the request took too long'
        : 'the body of the request is not valid HTTP/1.1';
    this.reply(problemReply({ status, message }));
    return true;
  }

  #onBodyTooLarge(): void {
    try {
      this.#client.context.handler.onBodyTooLarge(this);
    } catch (error) {
      this.fail(error);
    }
  }

  onUpstreamMoved(upstream: Upstream): void {
    this.#upstream = upstream;
  }

  onUpstreamReady(): void {
    if (!this.#requestSent) this.#client.resume();
  }

  // The response.

  onInformation({ head }: Upstream): void {
    if (this.#status !== 0) return;
    if (head.status === 100) this.#expectsContinue = false;
    this.#client.answer.inform(head);
  }

  onUpstreamHead({ head }: Upstream): void {
    const { context } = this.#client;
    const received = head.status;
    dropListed(head);
    if (!context.handler.onResponse(this, head)) {
      this.#dropUpstream();
      return;
    }
    const { status } = head;
    this.#writesBody = !this.#isHead && status !== 204 && status !== 304;
    const { answer } = this.#client;
    this.#isUntilClose = answer.endsWithConnection(head, this.#writesBody);
    this.#close = this.#mustClose || this.#isUntilClose;
    this.#status = answer.respond(head, received, this.#writesBody, this.#close);
  }

  onUpstreamBody(octets: Buffer, start: number, end: number, owned: boolean): boolean {
    if (!this.#writesBody) return true;
    this.#bytesSent += end - start;
    this.#client.touch();
    const hasRoom = this.#client.answer.sendBody(octets, start, end, owned);
    this.#blocked = this.#client.isBehind() || !hasRoom;
    return !this.#blocked;
  }

  onUpstreamEnd(trailers: string): void {
    this.#client.answer.endBody(trailers);
    this.#finish();
  }

  onUpstreamPause(): void {
    this.#client.answer.flush();
  }

  onClientDrain(): void {
    if (!this.#blocked) return;
    this.#blocked = false;
    this.#upstream?.resume();
  }

  onSwitch(upstream: Upstream, read: Buffer): void {
    const { head } = upstream;
    // A switch that was not asked for, or to something else, is no answer to this request.
    const protocol = head.received('upgrade');
    if (!this.upgrade || protocol?.toLowerCase() !== this.upgrade || !head.asksUpgrade) {
      this.#dropUpstream();
      this.onUpstreamFailure('malformed', 'never');
      return;
    }
    const { handler, limits } = this.#client.context;
    const onError = (error: unknown) => handler.onInternalError(error);
    dropListed(head);
    handler.onResponse(this, head);
    head.remove('content-length');
    const switched = `HTTP/1.1 101 Switching Protocols\r\n${head.fields()}Connection: Upgrade\r\nUpgrade: ${protocol}\r\n\r\n`;
    this.#status = 101;
    this.#upstream = undefined;
    const backend = upstream.detach();
    const client = this.#client.detach();
    // Before anything else that could throw: from now on the end of one ends the other, and this exchange.
    tunnel(client, backend, limits.tunnelIdle, HALF_OPEN, onError, (toBackend, toClient) => {
      this.#bytesReceived += toBackend;
      this.#bytesSent += toClient;
      this.#end();
    });
    client.write(switched, 'latin1');
    if (read.length > 0) backend.unshift(read);
  }

  onUpstreamFailure(failure: UpstreamFailure, repeatable: Repeatable): void {
    this.#upstream = undefined;
    if (this.#status !== 0) {
      this.outcome.failure = failure;
      // The only way to tell a client that a response is not whole.
      if (this.#isUntilClose) this.#client.reset();
      else this.#client.destroy();
      return;
    }
    this.#client.context.handler.onFailure(this, failure, repeatable);
  }

  /** A callback threw: it ends this exchange. */
  fail(error: unknown): void {
    const { handler } = this.#client.context;
    handler.onInternalError(error);
    this.#dropUpstream();
    if (this.#ended) return;
    if (this.#status === 0) {
      try {
        this.reply(INTERNAL_ERROR);
        return;
      } catch {
        // The connection goes, which is the answer.
      }
    }
    this.#client.destroy();
  }

  onClientGone(): void {
    if (this.#ended) return;
    try {
      if (!this.outcome.failure) this.#client.context.handler.onFailure(this, 'client-gone', 'never');
    } finally {
      this.#dropUpstream();
      this.#end();
    }
  }

  #dropMirrors(): void {
    for (const mirror of this.#mirrors ?? []) mirror.drop();
    this.#mirrors = undefined;
  }

  #dropUpstream(): void {
    this.#upstream?.destroy();
    this.#upstream = undefined;
  }

  /** The whole answer is with the socket. */
  #finish(): void {
    const upstream = this.#upstream;
    this.#upstream = undefined;
    upstream?.release();
    this.#end();
    // The head may have been sent before it was known that the connection is to close.
    this.#client.answered(this.#close || this.#client.closing);
  }

  #end(): void {
    if (this.#ended) return;
    this.#ended = true;
    this.#isHolding = false;
    this.#inquiry?.drop();
    // The rest of the request will never come.
    if (!this.#requestSent) this.#dropMirrors();
    try {
      this.#client.context.handler.onEnd(this, {
        status: this.#status,
        bytesReceived: this.#bytesReceived,
        bytesSent: this.#bytesSent,
        duration: performance.now() - this.#started,
      });
    } catch (error) {
      this.#client.fail(error);
    }
  }
}
