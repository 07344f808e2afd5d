/** ClientHellos, from real clients and written by hand. */
import { Duplex } from 'node:stream';
import { type ConnectionOptions, connect } from 'node:tls';

/** The records that a client of `node:tls` begins with. */
export function realHello(options: ConnectionOptions): Promise<Buffer> {
  return new Promise((resolve) => {
    const wire = new Duplex({
      read() {},
      write(chunk: Buffer, _encoding, done) {
        resolve(Buffer.from(chunk));
        done();
      },
    });
    connect({ socket: wire, rejectUnauthorized: false, ...options }).on('error', () => {});
  });
}

const u16 = (value: number) => [value >> 8, value & 255];
const u24 = (value: number) => [value >> 16, ...u16(value & 0xffff)];

export interface HelloParts {
  readonly version?: readonly number[];
  readonly sessionId?: readonly number[];
  readonly suites?: readonly number[];
  readonly compressions?: readonly number[];
  /** Absent: the hello ends before them. */
  readonly extensions?: readonly (readonly number[])[];
}

export const extension = (type: number, content: readonly number[]): number[] => [
  ...u16(type),
  ...u16(content.length),
  ...content,
];

export function serverNameExtension(name: string, type = 0): number[] {
  const octets = [...Buffer.from(name, 'latin1')];
  return extension(0, [...u16(octets.length + 3), type, ...u16(octets.length), ...octets]);
}

/** The message, without a record around it. */
export function helloMessage({
  version = [3, 3],
  sessionId = [],
  suites = [0x13, 0x01],
  compressions = [0],
  extensions = [serverNameExtension('a.example')],
}: HelloParts & { readonly extensions?: HelloParts['extensions'] } = {}): Buffer {
  const all = extensions.flat();
  const body = [
    ...version,
    ...Array.from({ length: 32 }, () => 7),
    sessionId.length,
    ...sessionId,
    ...u16(suites.length),
    ...suites,
    compressions.length,
    ...compressions,
    ...u16(all.length),
    ...all,
  ];
  return Buffer.from([1, ...u24(body.length), ...body]);
}

/** In records whose fragments have at most so many octets. */
export function inRecords(message: Buffer, most = 2 ** 14): Buffer {
  const records: Buffer[] = [];
  for (let at = 0; at < message.length; at += most) {
    const fragment = message.subarray(at, at + most);
    records.push(Buffer.from([22, 3, 1, ...u16(fragment.length)]), fragment);
  }
  return Buffer.concat(records);
}
