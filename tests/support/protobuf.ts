/** Protocol Buffers for tests, apart from those of the proxy: messages as objects, by a table of their fields. */

type Kind = 'number' | 'text' | 'octets' | 'boolean' | Schema;
/** Fields by number; a name that ends in "[]" stands for several. */
export interface Schema {
  readonly [number: number]: readonly [name: string, kind: Kind];
}
export type Message = { readonly [name: string]: unknown };

const LENGTH_DELIMITED = 2;

function varint(value: bigint): Buffer {
  const octets: number[] = [];
  let rest = BigInt.asUintN(64, value);
  for (; rest > 0x7fn; rest >>= 7n) octets.push(Number(rest & 0x7fn) | 0x80);
  return Buffer.from([...octets, Number(rest)]);
}

function encodeValue(field: number, kind: Kind, value: unknown): Buffer {
  if (kind === 'number' || kind === 'boolean') {
    return Buffer.concat([varint(BigInt(field << 3)), varint(BigInt(Number(value)))]);
  }
  const content =
    kind === 'text'
      ? Buffer.from(value as string)
      : kind === 'octets'
        ? Buffer.from(value as Buffer)
        : encode(kind, value as Message);
  return Buffer.concat([
    varint(BigInt((field << 3) | LENGTH_DELIMITED)),
    varint(BigInt(content.length)),
    content,
  ]);
}

export function encode(schema: Schema, message: Message): Buffer {
  const parts: Buffer[] = [];
  for (const [number, [name, kind]] of Object.entries(schema)) {
    const value = message[name.replace('[]', '')];
    if (value === undefined) continue;
    const values = name.endsWith('[]') ? (value as unknown[]) : [value];
    for (const each of values) parts.push(encodeValue(Number(number), kind as Kind, each));
  }
  return Buffer.concat(parts);
}

/** Throws on fields that the table does not have. */
export function decode(schema: Schema, octets: Buffer): Message {
  const message: Record<string, unknown> = {};
  let at = 0;
  const next = (): bigint => {
    let value = 0n;
    for (let shift = 0n; ; shift += 7n) {
      const octet = octets[at++];
      if (octet === undefined) throw new Error('a number ends too early');
      value |= BigInt(octet & 0x7f) << shift;
      if (octet < 0x80) return BigInt.asIntN(64, value);
    }
  };
  while (at < octets.length) {
    const tag = Number(next());
    const [name, kind] = schema[tag >> 3] ?? [];
    if (name === undefined || kind === undefined) throw new Error(`found the field ${tag >> 3}`);
    let value: unknown;
    if ((tag & 7) === 0) value = kind === 'boolean' ? next() !== 0n : Number(next());
    else {
      const length = Number(next());
      if (at + length > octets.length) throw new Error('a value ends too early');
      const content = octets.subarray(at, at + length);
      at += length;
      if (kind === 'text') value = new TextDecoder('utf-8', { fatal: true }).decode(content);
      else value = typeof kind === 'object' ? decode(kind, content) : Buffer.from(content);
    }
    if (!name.endsWith('[]')) message[name] = value;
    else message[name.slice(0, -2)] = [...((message[name.slice(0, -2)] as unknown[]) ?? []), value];
  }
  return message;
}
