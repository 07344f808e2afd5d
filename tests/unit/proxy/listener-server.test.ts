/** The sockets of a port that terminates TLS: which one was accepted for one that is secure is told by the client's address and port. */
import { EventEmitter } from 'node:events';
import { createServer, type Server, type Socket } from 'node:net';
import { expect, it } from '@jest/globals';
import type { ExchangeHandler } from '../../../gateway-runtime/proxy/exchange.ts';
import { ListenerServer } from '../../../gateway-runtime/proxy/listener-server.ts';

const HANDLER = { onHandshakeFailure: () => {} } as unknown as ExchangeHandler;

class Listening extends ListenerServer<Server> {
  readonly served: Socket[] = [];

  constructor() {
    super(createServer(), 443, {}, HANDLER, { connections: 100, tlsHandshake: 1_000 });
  }

  retire(): void {}

  drain(): void {}

  protected onConnection(socket: Socket): void {
    this.served.push(socket);
  }
}

/** What a server is told of, from one address and port of a client. */
class Arrived extends EventEmitter {
  readonly remoteAddress = '192.0.2.1';
  readonly remotePort = 40_000;
  destroyed = false;

  destroy(): void {
    this.destroyed = true;
  }

  getProtocol(): string {
    return 'TLSv1.3';
  }

  isSessionReused(): boolean {
    return false;
  }
}

it('a client that comes again from one port is served, whenever its connection before is found to be gone', () => {
  const listening = new Listening();
  const [before, again, secure] = [new Arrived(), new Arrived(), new Arrived()];
  listening.server.emit('connection', before as unknown as Socket);
  listening.server.emit('connection', again as unknown as Socket);
  before.emit('close');
  listening.server.emit('secureConnection', secure as unknown as Socket);
  expect(secure.destroyed).toBe(false);
  expect(listening.served).toEqual([secure]);
  again.emit('close');
  const late = new Arrived();
  listening.server.emit('secureConnection', late as unknown as Socket);
  expect(late.destroyed).toBe(true);
});
