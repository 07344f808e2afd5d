/** A Service of Envoy's ext_authz protocol: gRPC on node:http2. */
import type { IncomingHttpHeaders, ServerHttp2Stream } from 'node:http2';
import { decode, encode, type Message, type Schema } from './protobuf.ts';

const ENTRY: Schema = { 1: ['key', 'text'], 2: ['value', 'text'] };
const PEER: Schema = {
  1: ['address', { 1: ['socketAddress', { 2: ['address', 'text'], 3: ['port', 'number'] }] }],
};
export const CHECK_REQUEST: Schema = {
  1: [
    'attributes',
    {
      1: ['source', PEER],
      2: ['destination', PEER],
      4: [
        'request',
        {
          1: ['time', { 1: ['seconds', 'number'], 2: ['nanos', 'number'] }],
          2: [
            'http',
            {
              1: ['id', 'text'],
              2: ['method', 'text'],
              3: ['headers[]', ENTRY],
              4: ['path', 'text'],
              5: ['host', 'text'],
              6: ['scheme', 'text'],
              9: ['size', 'number'],
              10: ['protocol', 'text'],
              11: ['body', 'text'],
              12: ['rawBody', 'octets'],
            },
          ],
        },
      ],
    },
  ],
};

const OPTION: Schema = {
  1: ['header', { 1: ['key', 'text'], 2: ['value', 'text'], 3: ['rawValue', 'octets'] }],
  2: ['append', { 1: ['value', 'boolean'] }],
  3: ['action', 'number'],
};
const STATUS: Schema = { 1: ['code', 'number'], 2: ['message', 'text'] };
export const CHECK_RESPONSE: Schema = {
  1: ['status', STATUS],
  2: ['denied', { 1: ['status', STATUS], 2: ['headers[]', OPTION], 3: ['body', 'octets'] }],
  3: [
    'ok',
    {
      2: ['headers[]', OPTION],
      3: ['metadata', 'octets'],
      5: ['remove[]', 'text'],
      6: ['responseHeaders[]', OPTION],
      7: ['setQuery[]', ENTRY],
      8: ['removeQuery[]', 'text'],
    },
  ],
  4: ['metadata', 'octets'],
  5: ['error', { 1: ['status', STATUS] }],
};

/** A request as the Service sees it. */
export interface Asked {
  readonly call: string;
  readonly contentType: string | undefined;
  readonly scheme: string | undefined;
  readonly source: { readonly address: string; readonly port: number };
  readonly destination: { readonly port: number };
  /** Milliseconds since 1970. */
  readonly time: number;
  readonly http: Message & { readonly headers: Readonly<Record<string, string>> };
}

export const header = (key: string, value: string, more: Message = {}): Message => ({
  header: { key, value },
  ...more,
});

/** One message as the body of gRPC. */
export function framed(message: Buffer, isCompressed = false): Buffer {
  const prefix = Buffer.alloc(5);
  prefix.writeUInt8(isCompressed ? 1 : 0);
  prefix.writeUInt32BE(message.length, 1);
  return Buffer.concat([prefix, message]);
}

export const response = (message: Message): Buffer => framed(encode(CHECK_RESPONSE, message));

/** The whole of a response, as a server of gRPC sends it. */
export function respond(stream: ServerHttp2Stream, body: Buffer, status = '0'): void {
  stream.respond({ ':status': 200, 'content-type': 'application/grpc' }, { waitForTrailers: true });
  stream.on('wantTrailers', () => stream.sendTrailers({ 'grpc-status': status, 'grpc-message': '' }));
  stream.end(body);
}

/** Throws where it is no call. */
export function askedOf(headers: IncomingHttpHeaders, body: Buffer): Asked {
  if (body[0] !== 0 || body.readUInt32BE(1) !== body.length - 5) throw new Error('not one message');
  const { attributes } = decode(CHECK_REQUEST, body.subarray(5)) as { attributes: Message };
  const { source, destination, request } = attributes as Record<string, Record<string, Message>>;
  const { http, time } = request!;
  const entries = (http!.headers ?? []) as { key: string; value: string }[];
  return {
    call: `${headers[':method']} ${headers[':path']}`,
    contentType: headers['content-type'],
    scheme: headers[':scheme'],
    source: source!.address!.socketAddress as Asked['source'],
    destination: destination!.address!.socketAddress as Asked['destination'],
    time: Number(time!.seconds) * 1_000 + Number(time!.nanos ?? 0) / 1_000_000,
    http: { ...http, headers: Object.fromEntries(entries.map(({ key, value = '' }) => [key, value])) },
  };
}

/** Reads a call, then answers it: with a CheckResponse, or as `answer` does by itself. */
export function checking(answer: (asked: Asked, stream: ServerHttp2Stream) => Message | undefined) {
  return (stream: ServerHttp2Stream, headers: IncomingHttpHeaders) => {
    const chunks: Buffer[] = [];
    stream.on('data', (chunk: Buffer) => chunks.push(chunk));
    stream.on('end', () => {
      const message = answer(askedOf(headers, Buffer.concat(chunks)), stream);
      if (message) respond(stream, response(message));
    });
  };
}
