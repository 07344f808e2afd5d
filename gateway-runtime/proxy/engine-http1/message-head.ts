/** Heads as they are sent: what was received and edited, with what concerns the connection they go on. */
import { STATUS_CODES } from 'node:http';
import type { LocalReply } from '../../filters/definition.ts';
import { mayBeListed } from '../hop-by-hop.ts';
import type { ForwardedRequest } from '../request.ts';
import type { Head } from './head.ts';
import { isFieldValue, isToken } from './octets.ts';

const TRAILERS_WELCOME = /(?:^|,)\s*trailers\s*(?:,|$)/i;
/** Methods of which nobody expects a body, so that none need be announced (RFC 9110 section 8.6). */
const WITHOUT_BODY = /^(?:GET|HEAD|DELETE|OPTIONS|TRACE)$/;

const STATUS_DIGITS = 3;

/** Drops the fields that a Connection field lists (RFC 9110 section 7.6.1). */
export function dropListed(head: Head): void {
  if (!head.listsFields) return;
  for (const option of (head.received('connection') ?? '').split(',')) {
    const name = option.trim().toLowerCase();
    if (name !== '' && mayBeListed(name)) head.remove(name);
  }
}

/** For a backend: Host first, then the fields, then framing and what concerns the connection. Throws where a field can't be sent. */
export function requestHead(
  request: ForwardedRequest<Head>,
  hasBody: boolean,
  upgrade: string | undefined,
): string {
  const { method, path, query, authority, fields: head } = request;
  if (!isFieldValue(authority)) throw new Error('the host can not be written as a field');
  head.dropHost();
  if (!head.chunked && head.trailer >= 0) head.remove('trailer');
  let text = `${method} ${query ? `${path}?${query}` : path} HTTP/1.1\r\nHost: ${authority}\r\n${head.fields()}`;
  const welcome = head.te >= 0 && TRAILERS_WELCOME.test(head.received('te')!);
  if (upgrade !== undefined) text += `Upgrade: ${upgrade}\r\n`;
  // We pass trailers on, so a backend may be told that they are welcome (RFC 9110 section 10.1.4).
  if (welcome) text += 'TE: trailers\r\n';
  if (upgrade !== undefined) text += welcome ? 'Connection: Upgrade, TE\r\n' : 'Connection: Upgrade\r\n';
  else if (welcome) text += 'Connection: TE\r\n';
  if (head.chunked) text += 'Transfer-Encoding: chunked\r\n';
  else if (!hasBody && head.length < 0 && !WITHOUT_BODY.test(method)) text += 'Content-Length: 0\r\n';
  return `${text}\r\n`;
}

/** For a client. `framing`: fields of framing and connection, each with its line end. */
export function responseHead(head: Head, received: number, framing: string, date: string): string {
  const { status, text } = head;
  const isAsReceived = status === received && head.statusEnd - head.statusStart > STATUS_DIGITS;
  const line = isAsReceived
    ? text.slice(head.statusStart, head.statusEnd)
    : `${status} ${STATUS_CODES[status] ?? ''}`;
  // "A recipient with a clock that receives a response message without a Date header field MUST record the time it was received and append a
  // corresponding Date header field" (RFC 9110 section 6.6.1).
  const dated = head.hasDate ? '' : `Date: ${date}\r\n`;
  return `HTTP/1.1 ${line}\r\n${head.fields()}${dated}${framing}\r\n`;
}

/** Throws where a field can't be sent. */
export function replyHead({ status, headers, body }: LocalReply, close: boolean, date: string): string {
  let text = `HTTP/1.1 ${status} ${STATUS_CODES[status] ?? ''}\r\n`;
  for (const [name, value] of headers) {
    if (!isToken(name) || !isFieldValue(value))
      throw new Error(`the field ${JSON.stringify(name)} can't be written`);
    text += `${name}: ${value}\r\n`;
  }
  text += `Date: ${date}\r\n`;
  if (status !== 204 && status !== 304) text += `Content-Length: ${Buffer.byteLength(body)}\r\n`;
  return close ? `${text}Connection: close\r\n\r\n` : `${text}\r\n`;
}

/** All of the answer to what is no request. */
export function malformedAnswer(status: number): string {
  const body = `${status}: what came is not a valid HTTP/1.1 request\n`;
  return (
    `HTTP/1.1 ${status} ${STATUS_CODES[status]}\r\nContent-Type: text/plain; charset=utf-8\r\n` +
    `Content-Length: ${body.length}\r\nConnection: close\r\n\r\n${body}`
  );
}
