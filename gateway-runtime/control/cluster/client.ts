/**
 * The Kubernetes client: the few verbs that the control plane needs, over node:https. Nothing else talks to the API server.
 *
 * Why not @kubernetes/client-node: its informers stop at the first error and can fall silent, so those had to be our own in
 * any case; it has no leader election; its models turn times into Date objects and drop fields that they do not know, while
 * translate and the status writer need objects as they are. What would be left of it is a request with credentials, for 16
 * direct dependencies in the process that holds them, and 134 MB of resident memory in each replica where bare Node with
 * TLS has 57. Its exec and OIDC credentials, which only people at a terminal need, are not had here.
 *
 * HTTP/1.1: a watch has a connection of its own, so that one that is stuck holds up nothing else.
 */
import { type Agent as HttpAgent, request as httpRequest, type IncomingMessage } from 'node:http';
import { Agent, request as httpsRequest } from 'node:https';
import type { Connection } from './connection.ts';
import { JsonLines } from './json-lines.ts';

/** What the API server answers instead of the object: its status code, and its reason and message (metav1.Status). */
export class ApiError extends Error {
  override readonly name = 'ApiError';
  readonly status: number;
  readonly reason: string;
  /** Milliseconds after which the API server wants to be asked again. */
  readonly retryAfter: number | undefined;

  constructor(status: number, reason: string, message: string, retryAfter?: number) {
    super(message);
    this.status = status;
    this.reason = reason;
    this.retryAfter = retryAfter;
  }
}

/** There was no whole answer: no connection, a broken one, or none in time. */
export class UnreachableError extends Error {
  override readonly name = 'UnreachableError';
}

export const isStatus = (error: unknown, ...statuses: readonly number[]): error is ApiError =>
  error instanceof ApiError && statuses.includes(error.status);

export interface WatchEvent {
  readonly type: 'ADDED' | 'MODIFIED' | 'DELETED' | 'BOOKMARK' | 'ERROR';
  readonly object: Record<string, unknown>;
}

export interface CallOptions {
  /** JSON, of the content type given with it. */
  readonly body?: unknown;
  readonly contentType?: (typeof PATCH)[keyof typeof PATCH] | 'application/json';
  /** `application/json` where it is absent. */
  readonly accept?: string;
  readonly signal?: AbortSignal;
  /** Milliseconds within which the whole answer must be there. Default: 15 s. */
  readonly timeout?: number;
}

export interface WatchOptions {
  /** The API server has taken the watch. */
  readonly onOpen: () => void;
  readonly onEvent: (event: WatchEvent) => void;
  readonly accept?: string;
  readonly signal: AbortSignal;
  /** Milliseconds without a byte after which the watch ends. */
  readonly silence: number;
}

export const PATCH = {
  json: 'application/json-patch+json',
  merge: 'application/merge-patch+json',
  /** Server-side apply. */
  apply: 'application/apply-patch+yaml',
} as const;

/** The longest answer that is read: a page of a list is far below it. */
const LONGEST_ANSWER = 256 * 1024 * 1024;
const MOST_CONNECTIONS = 32;
const KEEP_ALIVE = 30_000;
const USER_AGENT = 'gatewright';

type Method = 'GET' | 'POST' | 'PUT' | 'PATCH' | 'DELETE';

export class ApiClient {
  readonly #connection: Connection;
  readonly #calls: HttpAgent;
  readonly #watches: HttpAgent;

  constructor(connection: Connection) {
    this.#connection = connection;
    const { ca, certificate, key, serverName, insecure } = connection;
    const tls = {
      ...(ca ? { ca } : {}),
      ...(certificate ? { cert: certificate } : {}),
      ...(key ? { key } : {}),
      ...(serverName ? { servername: serverName } : {}),
      rejectUnauthorized: !insecure,
      keepAlive: true,
      keepAliveMsecs: KEEP_ALIVE,
    };
    this.#calls = new Agent({ ...tls, maxSockets: MOST_CONNECTIONS });
    this.#watches = new Agent({ ...tls, maxFreeSockets: 0 });
  }

  get<T>(path: string, options: CallOptions = {}): Promise<T> {
    return this.call('GET', path, options);
  }

  /** The answer's JSON. Throws ApiError where the API server refuses, UnreachableError where it gives no answer. */
  async call<T>(method: Method, path: string, options: CallOptions = {}): Promise<T> {
    const late = AbortSignal.timeout(options.timeout ?? 15_000);
    const signal = options.signal ? AbortSignal.any([late, options.signal]) : late;
    const answer = await this.#request(this.#calls, method, path, { ...options, signal });
    const text = await textOf(answer, method, path);
    if (answer.statusCode! >= 300) throw errorOf(answer, text);
    try {
      return JSON.parse(text) as T;
    } catch {
      throw new UnreachableError(`${method} ${path}: found no JSON, expected the answer of an API server`);
    }
  }

  /**
   * Resolves when the API server ends the watch, as it does every few minutes, and when nothing came for a while: in a quiet
   * collection that is nothing unusual, and on a dead connection nobody says more. Throws where anything else ends it.
   */
  async watch(path: string, { onOpen, onEvent, accept, signal, silence }: WatchOptions): Promise<void> {
    const dead = new AbortController();
    let open = false;
    const alarm = setTimeout(() => dead.abort(), silence);
    try {
      const answer = await this.#request(this.#watches, 'GET', path, {
        ...(accept ? { accept } : {}),
        signal: AbortSignal.any([signal, dead.signal]),
      });
      if (answer.statusCode! >= 300) throw errorOf(answer, await textOf(answer, 'GET', path));
      open = true;
      onOpen();
      const lines = new JsonLines((value) => onEvent(value as WatchEvent));
      answer.setEncoding('utf8');
      for await (const text of answer) {
        alarm.refresh();
        lines.push(text as string);
      }
    } catch (error) {
      if (dead.signal.aborted && open) return;
      throw asUnreachable(error, 'GET', path);
    } finally {
      clearTimeout(alarm);
    }
  }

  /** Ends idle connections; calls under way go on. */
  close(): void {
    this.#calls.destroy();
    this.#watches.destroy();
  }

  #request(agent: HttpAgent, method: Method, path: string, options: CallOptions): Promise<IncomingMessage> {
    const { server, token } = this.#connection;
    const { promise, resolve, reject } = Promise.withResolvers<IncomingMessage>();
    const body = options.body === undefined ? undefined : JSON.stringify(options.body);
    const secure = server.protocol === 'https:';
    const send = secure ? httpsRequest : httpRequest;
    try {
      const request = send(
        {
          ...(secure ? { agent } : {}),
          method,
          host: server.hostname.replace(/^\[|\]$/g, ''),
          port: server.port || (secure ? 443 : 80),
          path: `${server.pathname.replace(/\/$/, '')}${path}`,
          headers: {
            accept: options.accept ?? 'application/json',
            'user-agent': USER_AGENT,
            ...(token ? { authorization: `Bearer ${token()}` } : {}),
            ...(body === undefined
              ? {}
              : {
                  'content-type': options.contentType ?? 'application/json',
                  'content-length': Buffer.byteLength(body),
                }),
          },
          ...(options.signal ? { signal: options.signal } : {}),
        },
        resolve,
      );
      request.on('error', (error) => reject(asUnreachable(error, method, path)));
      request.end(body);
    } catch (error) {
      reject(asUnreachable(error, method, path));
    }
    return promise;
  }
}

async function textOf(answer: IncomingMessage, method: Method, path: string): Promise<string> {
  try {
    answer.setEncoding('utf8');
    const parts: string[] = [];
    let length = 0;
    for await (const part of answer) {
      length += (part as string).length;
      if (length > LONGEST_ANSWER)
        throw new Error(`found an answer of more than ${LONGEST_ANSWER} characters`);
      parts.push(part as string);
    }
    return parts.join('');
  } catch (error) {
    throw asUnreachable(error, method, path);
  }
}

function asUnreachable(error: unknown, method: Method, path: string): Error {
  if (error instanceof ApiError || error instanceof UnreachableError) return error;
  const { name, code, message } = error as NodeJS.ErrnoException;
  const why = name === 'AbortError' || name === 'TimeoutError' ? 'no answer in time' : (code ?? message);
  return new UnreachableError(`${method} ${path}: ${why}`, { cause: error });
}

function errorOf(answer: IncomingMessage, text: string): ApiError {
  const status = answer.statusCode!;
  const after = Number(answer.headers['retry-after']);
  const retryAfter = after > 0 ? after * 1000 : undefined;
  try {
    const { reason, message } = JSON.parse(text) as { reason?: string; message?: string };
    return new ApiError(status, reason ?? '', message ?? `answered with ${status}`, retryAfter);
  } catch {
    return new ApiError(status, '', `answered with ${status}`, retryAfter);
  }
}
