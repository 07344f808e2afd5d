/** The handshake of WebSocket over HTTP/2 (RFC 8441) as it looks over HTTP/1.1 (RFC 6455 section 4). */
import { createHash } from 'node:crypto';

/** RFC 6455 section 1.3. */
const GUID = '258EAFA5-E914-47DA-95CA-C5AB0DC85B11';

/**
 * The fields of the answer that a client over HTTP/1.1 waits for, after a stream was opened for it.
 *
 * @param fields of the endpoint's answer, names and values in turns
 * @param request fields of the client's request
 */
export function switchedFields(
  protocol: string,
  fields: readonly string[],
  request: readonly string[],
): string[] {
  const switched = ['Connection', 'Upgrade', 'Upgrade', protocol, ...fields];
  const at = request.findIndex((text, i) => i % 2 === 0 && text.toLowerCase() === 'sec-websocket-key');
  if (at >= 0) {
    const accept = createHash('sha1')
      .update(`${request[at + 1]}${GUID}`)
      .digest('base64');
    switched.push('Sec-WebSocket-Accept', accept);
  }
  return switched;
}
