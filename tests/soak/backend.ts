/** What a data plane under soak has behind it: answers, and every fault that a path names. */
import { once } from 'node:events';
import { type AddressInfo, createServer, type Server, type Socket } from 'node:net';

const SMALL = 'HTTP/1.1 200 OK\r\nContent-Length: 5\r\n\r\nhello';
const CHUNKS = 'HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n5\r\nhello\r\n0\r\n\r\n';
const LARGE = `HTTP/1.1 200 OK\r\nContent-Length: 1000000\r\n\r\n${'x'.repeat(1_000_000)}`;
const SWITCH = 'HTTP/1.1 101 Switching Protocols\r\nConnection: Upgrade\r\nUpgrade: websocket\r\n\r\nhello';
const UNAVAILABLE = 'HTTP/1.1 503 Service Unavailable\r\nContent-Length: 4\r\n\r\nbusy';
/** As much as tells that it is no answer: less is waited on with. */
const GARBAGE = 'this is no answer\r\n\r\n';
/** Of a backend that fails some: one in so many. */
const FAILS = 10;
/** Of what gets copies: one in so many breaks off. */
const BREAKS = 50;

let asked = 0;

/** What the path of a whole request asks for. */
function answer(socket: Socket, request: string): void {
  if (request.includes(' /reset ')) socket.resetAndDestroy();
  else if (request.includes(' /cut ')) socket.end('HTTP/1.1 200 OK\r\nContent-Length: 50\r\n\r\ncut');
  else if (request.includes(' /broken ')) {
    socket.write('HTTP/1.1 200 OK\r\nContent-Length: 50\r\n\r\nbroken', () => socket.resetAndDestroy());
  } else if (request.includes(' /broken-chunks ')) {
    socket.write(CHUNKS.slice(0, -'0\r\n\r\n'.length), () => socket.resetAndDestroy());
  } else if (request.includes(' /garbage ')) socket.write(GARBAGE);
  else if (request.includes(' /late ')) return;
  else if (request.includes(' /large ')) socket.write(LARGE);
  else if (request.includes(' /flaky ') && asked++ % FAILS === 0) socket.write(UNAVAILABLE);
  else if (request.includes(' /chat ')) echo(socket);
  else if (request.includes(' /chunks ')) socket.write(CHUNKS);
  else if (request.startsWith('HEAD')) socket.write(SMALL.slice(0, -'hello'.length));
  else if (!request.includes('Length: 50\r\n')) socket.write(SMALL);
}

/** Switches protocols, and sends back what comes; `bye` has it end the connection. */
function echo(socket: Socket): void {
  socket.removeAllListeners('data').on('data', (text: string) => {
    if (text.includes('bye')) socket.end(text);
    else socket.write(text);
  });
  socket.on('end', () => socket.end());
  socket.write(SWITCH);
}

/** Answers each request when it is whole. The gateway sends one at a time. */
function serve(socket: Socket, take: typeof answer): void {
  let request = '';
  socket.on('error', () => {});
  socket.setEncoding('latin1').on('data', (text: string) => {
    request += text;
    if (!request.includes('\r\n\r\n')) return;
    if (request.includes('chunked\r\n') && !request.endsWith('\r\n0\r\n\r\n')) return;
    if (request.includes('Length: 5\r\n') && !request.endsWith('hello')) return;
    const whole = request;
    request = '';
    take(socket, whole);
  });
}

export interface Backends {
  readonly backend: number;
  readonly shadow: number;
  close(): void;
}

export async function backends(): Promise<Backends> {
  const listening = async (take: typeof answer): Promise<Server> => {
    const server = createServer({ noDelay: true }, (socket) => serve(socket, take));
    server.listen(0, '127.0.0.1');
    await once(server, 'listening');
    return server;
  };
  let copies = 0;
  const backend = await listening(answer);
  const shadow = await listening((socket) => {
    if (copies++ % BREAKS === 0) socket.resetAndDestroy();
    else socket.write(SMALL);
  });
  return {
    backend: (backend.address() as AddressInfo).port,
    shadow: (shadow.address() as AddressInfo).port,
    close() {
      backend.close();
      shadow.close();
    },
  };
}
