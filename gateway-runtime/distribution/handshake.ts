import type { TLSSocket } from 'node:tls';

/**
 * Settles when the TLS connection stands; rejects with a sentence where it does not come about.
 *
 * @param timeout in milliseconds
 */
export function handshake(socket: TLSSocket, timeout: number): Promise<void> {
  return new Promise((resolve, reject) => {
    const timer = setTimeout(
      () => socket.destroy(new Error(`there was no TLS handshake within ${timeout / 1000} s`)),
      timeout,
    );
    socket.on('error', reject);
    socket.once('close', () => {
      clearTimeout(timer);
      reject(new Error('the connection was closed in the handshake'));
    });
    socket.once('secureConnect', () => {
      clearTimeout(timer);
      resolve();
    });
  });
}
