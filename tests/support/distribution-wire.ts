/** Both ends of the stream by hand, for what the real ones would never send. */
import { once } from 'node:events';
import type { AddressInfo } from 'node:net';
import { connect, createServer, type Server, type TLSSocket } from 'node:tls';
import { FrameReader, frame } from '../../gateway-runtime/distribution/frames.ts';
import { type Hello, PROTOCOL } from '../../gateway-runtime/distribution/messages.ts';
import { type ControlPlane, serving, TOKEN, until } from './distribution.ts';
import { GATEWAY } from './gateway.ts';

export interface WireMessage {
  readonly type: string;
  readonly [field: string]: unknown;
}

/** One end of one connection. */
export class Wire {
  readonly socket: TLSSocket;
  readonly received: WireMessage[] = [];
  /** Every byte that came. */
  bytes = Buffer.alloc(0);
  isClosed = false;
  #answers = false;
  /** Of the snapshot as last acknowledged. */
  #version = '';
  #beats: NodeJS.Timeout | undefined;

  constructor(socket: TLSSocket) {
    this.socket = socket;
    const reader = new FrameReader(64 * 1024 * 1024);
    socket.on('error', () => {});
    socket.on('close', () => {
      this.isClosed = true;
      clearInterval(this.#beats);
    });
    socket.on('data', (chunk: Buffer) => {
      this.bytes = Buffer.concat([this.bytes, chunk]);
      reader.push(chunk);
      for (let next = reader.next(); next; next = reader.next()) this.#take(next.value as WireMessage);
    });
  }

  /** As a data plane of GATEWAY. */
  static async dial(control: ControlPlane, hello: Partial<Hello> = {}): Promise<Wire> {
    const wire = await Wire.open(control);
    wire.send({ type: 'hello', gateway: GATEWAY, replica: 'wire', token: TOKEN, ready: true, ...hello });
    return wire;
  }

  /** As of then it has said nothing. `localAddress` is where it dials from. */
  static async open({ port, issuer }: ControlPlane, localAddress?: string): Promise<Wire> {
    const ca = issuer.certificate;
    const from = localAddress === undefined ? {} : { localAddress };
    const socket = connect({ host: '127.0.0.1', port, ca, ALPNProtocols: [PROTOCOL], ...from });
    await once(socket, 'secureConnect');
    return new Wire(socket);
  }

  send(message: unknown): void {
    this.socket.write(frame(JSON.stringify(message)));
  }

  of(type: string): WireMessage[] {
    return this.received.filter((each) => each.type === type);
  }

  async until(type: string, count = 1): Promise<WireMessage> {
    await until(`${count} ${type} came`, () => this.of(type).length >= count);
    return this.of(type)[count - 1]!;
  }

  async untilClosed(): Promise<void> {
    await until('the connection is closed', () => this.isClosed);
  }

  /** Acknowledges each commit as it comes, and says that it lives. */
  answer(): void {
    this.#answers = true;
    this.#beats = setInterval(() => this.send({ type: 'beat' }), 100);
  }

  #ack({ order, snapshot }: WireMessage): void {
    this.#version = (snapshot as { to: string } | undefined)?.to ?? this.#version;
    this.send({ type: 'ack', order, version: this.#version, diagnostics: [] });
  }

  #take(message: WireMessage): void {
    this.received.push(message);
    if (this.#answers && message.type === 'commit') this.#ack(message);
  }
}

/** A control plane that says what it is told to say, at the address and with the certificate of another one, which is down. */
export class FakeControl {
  readonly #server: Server;
  readonly wires: Wire[] = [];

  private constructor(server: Server) {
    this.#server = server;
    server.on('tlsClientError', () => {});
    server.on('secureConnection', (socket) => this.wires.push(new Wire(socket)));
  }

  static async listen(control: ControlPlane): Promise<FakeControl> {
    const { certificate, key } = serving(control.issuer);
    const server = createServer({ cert: certificate, key, ALPNProtocols: [PROTOCOL] });
    server.listen(control.port, '127.0.0.1');
    await once(server, 'listening');
    control.port = (server.address() as AddressInfo).port;
    return new FakeControl(server);
  }

  /** The one that dialled as number `count`, with its hello said and welcomed. */
  async welcome(count = 1): Promise<Wire> {
    await until(`${count} data planes dialled`, () => this.wires.length >= count);
    const wire = this.wires[count - 1]!;
    await wire.until('hello');
    wire.send({ type: 'welcome' });
    return wire;
  }

  async close(): Promise<void> {
    const closed = once(this.#server, 'close');
    this.#server.close();
    for (const { socket } of this.wires) socket.destroy();
    await closed;
  }
}
