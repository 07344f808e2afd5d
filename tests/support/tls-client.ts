/** Clients that speak TLS. */
import { once } from 'node:events';
import { type ConnectionOptions, connect, type TLSSocket } from 'node:tls';
import { RawClient } from './client.ts';

export interface TlsOptions extends ConnectionOptions {
  /** Undefined: none is sent. */
  readonly servername?: string;
}

/** A connection with its handshake done; rejects where it failed. Names are not checked here: tests look at the certificate. */
export async function openTls(port: number, ca: string, options: TlsOptions = {}): Promise<TlsClient> {
  const socket = connect({
    port,
    host: '127.0.0.1',
    ca,
    ALPNProtocols: ['http/1.1'],
    checkServerIdentity: () => undefined,
    ...options,
    servername: options.servername ?? '',
  });
  await once(socket, 'secureConnect');
  return new TlsClient(socket);
}

export class TlsClient extends RawClient {
  declare readonly socket: TLSSocket;

  /** The names of the certificate that was shown. */
  get names(): string {
    return this.socket.getPeerX509Certificate()!.subjectAltName!;
  }

  /** Sends a request on this connection and gives its status. */
  async get(host: string, path = '/'): Promise<number> {
    this.received = '';
    this.send(`GET ${path} HTTP/1.1\r\nHost: ${host}\r\n\r\n`);
    const head = await this.until('\r\n\r\n');
    const length = Number(/content-length: (\d+)/i.exec(head)![1]);
    const end = head.indexOf('\r\n\r\n') + 4 + length;
    while (this.received.length < end) await once(this.socket, 'data');
    return Number(head.slice(9, 12));
  }
}
