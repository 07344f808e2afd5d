/** A server of HTTP/2 that writes its frames by hand (RFC 9113 section 4), for what no library would send. */
import { Backend } from './backend.ts';

export const FRAME = {
  data: 0,
  headers: 1,
  reset: 3,
  settings: 4,
  ping: 6,
  goaway: 7,
  windowUpdate: 8,
} as const;
export const END_STREAM = 1;
const ACK = 1;
export const END_HEADERS = 4;
/** The client connection preface (section 3.4). */
const PREFACE = 24;
const FRAME_HEAD = 9;

export interface Frame {
  readonly type: number;
  readonly flags: number;
  readonly stream: number;
  readonly payload: Buffer;
}

/** A frame, head and payload. */
export function frame(
  type: number,
  flags: number,
  stream: number,
  payload: Buffer = Buffer.alloc(0),
): Buffer {
  const head = Buffer.alloc(FRAME_HEAD);
  head.writeUIntBE(payload.length, 0, 3);
  head[3] = type;
  head[4] = flags;
  head.writeUInt32BE(stream, 5);
  return Buffer.concat([head, payload]);
}

export class WirePeer {
  readonly #write: (octets: Buffer) => void;

  constructor(write: (octets: Buffer) => void) {
    this.#write = write;
  }

  frame(type: number, flags: number, stream: number, payload?: Buffer): void {
    this.#write(frame(type, flags, stream, payload));
  }

  /** Identifiers and values, such as `[3, 1]` for one stream at a time. */
  settings(...values: (readonly [id: number, value: number])[]): void {
    const payload = Buffer.alloc(6 * values.length);
    for (const [index, [id, value]] of values.entries()) {
      payload.writeUInt16BE(id, 6 * index);
      payload.writeUInt32BE(value, 6 * index + 2);
    }
    this.frame(FRAME.settings, 0, 0, payload);
  }

  /** Fields as literals that are not indexed (RFC 7541 section 6.2.2); each shorter than 127 octets. */
  headers(stream: number, fields: readonly (readonly [name: string, value: string])[], end = false): void {
    const block = fields.flatMap(([name, value]) => [
      0,
      name.length,
      ...latin1(name),
      value.length,
      ...latin1(value),
    ]);
    this.frame(FRAME.headers, END_HEADERS | (end ? END_STREAM : 0), stream, Buffer.from(block));
  }

  data(stream: number, text: string, end = false): void {
    this.frame(FRAME.data, end ? END_STREAM : 0, stream, Buffer.from(text));
  }

  reset(stream: number, code: number): void {
    this.frame(FRAME.reset, 0, stream, number32(code));
  }

  goaway(lastStream: number, code: number): void {
    this.frame(FRAME.goaway, 0, 0, Buffer.concat([number32(lastStream), number32(code)]));
  }

  pong(payload: Buffer): void {
    this.frame(FRAME.ping, ACK, 0, payload);
  }
}

const latin1 = (text: string) => Buffer.from(text, 'latin1');

function number32(value: number): Buffer {
  const octets = Buffer.alloc(4);
  octets.writeUInt32BE(value);
  return octets;
}

export interface WireOptions {
  /** Its SETTINGS; undefined for none at all. */
  readonly settings?: readonly (readonly [id: number, value: number])[] | undefined;
  /** Whether it answers a PING, and SETTINGS after the first. */
  readonly pongs?: boolean;
  /** A PING came, and was answered where it is to be. */
  readonly onPing?: () => void;
  /** Whether it closes its side of a connection when the client has. */
  readonly closes?: boolean;
}

/** `onFrame` is told of every frame of a client but for SETTINGS and PING, with the number of the connection. */
export function wireBackend(
  onFrame: (peer: WirePeer, frame: Frame, connection: number) => void,
  { settings = [], pongs = true, closes = true, onPing }: WireOptions = { settings: [] },
): Promise<Backend> {
  let connections = 0;
  return Backend.tcp((socket) => {
    const connection = connections++;
    const peer = new WirePeer((octets) => void (socket.writable && socket.write(octets)));
    let unread = Buffer.alloc(0);
    let isGreeted = false;
    let hasSettings = false;
    peer.settings(...settings);
    socket.on('end', () => closes && socket.end());
    socket.on('data', (chunk: Buffer) => {
      unread = Buffer.concat([unread, chunk]);
      if (!isGreeted) {
        if (unread.length < PREFACE) return;
        unread = unread.subarray(PREFACE);
        isGreeted = true;
      }
      while (unread.length >= FRAME_HEAD && unread.length >= FRAME_HEAD + unread.readUIntBE(0, 3)) {
        const end = FRAME_HEAD + unread.readUIntBE(0, 3);
        const frame = {
          type: unread[3]!,
          flags: unread[4]!,
          stream: unread.readUInt32BE(5),
          payload: unread.subarray(FRAME_HEAD, end),
        };
        unread = unread.subarray(end);
        if (frame.type === FRAME.settings) {
          const isFirst = !hasSettings;
          hasSettings = true;
          if ((frame.flags & ACK) === 0 && (pongs || isFirst)) peer.frame(FRAME.settings, ACK, 0);
        } else if (frame.type === FRAME.ping) {
          if (pongs && (frame.flags & ACK) === 0) peer.pong(frame.payload);
          onPing?.();
        } else onFrame(peer, frame, connection);
      }
    });
  });
}
