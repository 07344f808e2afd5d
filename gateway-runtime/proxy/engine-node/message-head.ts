/** The fields of heads that are sent: what was received and edited, and what belongs to the connection they go on. */
import { validateHeaderName, validateHeaderValue } from 'node:http';
import { fieldValue, type HeaderFields } from '../header-fields.ts';
import type { ForwardedRequest } from '../request.ts';

const TRAILERS_WELCOME = /(?:^|,)\s*trailers\s*(?:,|$)/i;
/** Methods for which node:http announces no body unless there is one. */
const WITHOUT_BODY = /^(?:GET|HEAD|DELETE|OPTIONS|TRACE)$/;

/** For `http.request`: Host first, then the fields, then framing and what concerns the connection to the backend. */
export function requestFields(
  head: ForwardedRequest<HeaderFields>,
  received: readonly string[],
  hasBody: boolean,
  upgrade: string | undefined,
): string[] {
  const isChunked = fieldValue(received, 'transfer-encoding') !== undefined;
  // Only a chunked body can have trailers, and node:http refuses to announce them otherwise.
  if (!isChunked) head.remove('trailer');
  head.remove('host');
  const fields = ['Host', head.authority, ...head.fields.raw];
  const connection: string[] = [];
  if (upgrade) {
    fields.push('Upgrade', upgrade);
    connection.push('Upgrade');
  }
  // We pass trailers on, so a backend may be told that they are welcome (RFC 9110 section 10.1.4).
  if (TRAILERS_WELCOME.test(fieldValue(received, 'te') ?? '')) {
    fields.push('TE', 'trailers');
    connection.push('TE');
  }
  if (connection.length) fields.push('Connection', connection.join(', '));
  if (isChunked) fields.push('Transfer-Encoding', 'chunked');
  else if (!hasBody && !WITHOUT_BODY.test(head.method) && head.get('content-length') === undefined) {
    fields.push('Content-Length', '0');
  }
  return fields;
}

/** The head of a 101. Throws where a filter set what is no field: a line end in a value would begin another one. */
export function switchingHead(raw: readonly string[]): string {
  let head = 'HTTP/1.1 101 Switching Protocols\r\n';
  for (let i = 0; i < raw.length; i += 2) {
    const [name, value] = [raw[i]!, raw[i + 1]!];
    validateHeaderName(name);
    validateHeaderValue(name, value);
    head += `${name}: ${value}\r\n`;
  }
  return `${head}\r\n`;
}
