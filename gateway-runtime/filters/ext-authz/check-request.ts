/** envoy.service.auth.v3.CheckRequest: what a Service is told of a request that it is asked about. */
import type { AuthorizationSubject } from '../definition.ts';
import { ProtobufWriter } from './protobuf-writer.ts';

// Numbers of fields, by message.
const CHECK_REQUEST = { attributes: 1 };
const ATTRIBUTES = { source: 1, destination: 2, request: 4 };
const PEER = { address: 1 };
const ADDRESS = { socketAddress: 1 };
const SOCKET_ADDRESS = { address: 2, port: 3 };
const REQUEST = { time: 1, http: 2 };
const TIMESTAMP = { seconds: 1, nanos: 2 };
const HTTP = {
  id: 1,
  method: 2,
  headers: 3,
  path: 4,
  host: 5,
  scheme: 6,
  size: 9,
  protocol: 10,
  body: 11,
  rawBody: 12,
};
const ENTRY = { key: 1, value: 2 };

/** @param headers by name in lower case, those of one name joined */
export function checkRequest(
  subject: AuthorizationSubject,
  headers: ReadonlyMap<string, string>,
): ProtobufWriter {
  const { client } = subject;
  const attributes = new ProtobufWriter();
  attributes.message(ATTRIBUTES.source, peer(client.remoteAddress, client.remotePort));
  // The port of the listener. Of the address no client knows more than the Host that it names.
  attributes.message(ATTRIBUTES.destination, peer('', client.port));
  const request = new ProtobufWriter();
  request.message(REQUEST.time, timestamp(subject.time));
  request.message(REQUEST.http, http(subject, headers));
  attributes.message(ATTRIBUTES.request, request);
  const check = new ProtobufWriter();
  check.message(CHECK_REQUEST.attributes, attributes);
  return check;
}

function peer(host: string, port: number): ProtobufWriter {
  const socketAddress = new ProtobufWriter();
  socketAddress.text(SOCKET_ADDRESS.address, host);
  socketAddress.integer(SOCKET_ADDRESS.port, port);
  const address = new ProtobufWriter();
  address.message(ADDRESS.socketAddress, socketAddress);
  const written = new ProtobufWriter();
  written.message(PEER.address, address);
  return written;
}

function timestamp(milliseconds: number): ProtobufWriter {
  const seconds = Math.floor(milliseconds / 1000);
  const written = new ProtobufWriter();
  written.integer(TIMESTAMP.seconds, seconds);
  written.integer(TIMESTAMP.nanos, Math.floor(milliseconds - seconds * 1000) * 1_000_000);
  return written;
}

function http(subject: AuthorizationSubject, headers: ReadonlyMap<string, string>): ProtobufWriter {
  const { head, body, protocol } = subject;
  const written = new ProtobufWriter();
  written.text(HTTP.id, subject.id());
  written.text(HTTP.method, head.method);
  for (const [name, value] of headers) {
    const entry = new ProtobufWriter();
    entry.text(ENTRY.key, name);
    entry.text(ENTRY.value, value);
    written.message(HTTP.headers, entry);
  }
  // "This includes the URL path and query-string."
  written.text(HTTP.path, head.query ? `${head.path}?${head.query}` : head.path);
  written.text(HTTP.host, head.authority);
  written.text(HTTP.scheme, head.scheme);
  written.integer(HTTP.size, body ? lengthOf(body) : announced(head.get('content-length')));
  written.text(HTTP.protocol, protocol);
  if (body && body.length > 0) {
    // Some servers read the one and some the other, and none is to see less than there is. A string has to be UTF-8.
    if (isUtf8(body)) written.octets(HTTP.body, ...body);
    written.octets(HTTP.rawBody, ...body);
  }
  return written;
}

const lengthOf = (pieces: readonly Uint8Array[]): number =>
  pieces.reduce((sum, { length }) => sum + length, 0);

/** "If unknown, it must be -1." */
const announced = (contentLength: string | undefined): number =>
  contentLength !== undefined && /^\d{1,15}$/.test(contentLength) ? Number(contentLength) : -1;

function isUtf8(pieces: readonly Uint8Array[]): boolean {
  const strict = new TextDecoder('utf-8', { fatal: true });
  try {
    for (const each of pieces) strict.decode(each, { stream: true });
    strict.decode();
    return true;
  } catch {
    return false;
  }
}
