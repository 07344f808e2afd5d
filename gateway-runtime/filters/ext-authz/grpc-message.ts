/** One message of gRPC as the body of a request or response: a flag for compression, the length, the message (gRPC over HTTP/2, "Length-Prefixed-Message"). */

const PREFIX = 5;

/** What stands before a message of so many octets. */
export function messagePrefix(length: number): Uint8Array {
  const prefix = new Uint8Array(PREFIX);
  new DataView(prefix.buffer).setUint32(1, length);
  return prefix;
}

/** The message of a body that is just one; undefined where it is not, or is compressed, which nobody offered. */
export function onlyMessage(body: Uint8Array): Uint8Array | undefined {
  if (body.length < PREFIX || body[0] !== 0) return undefined;
  const length = new DataView(body.buffer, body.byteOffset).getUint32(1);
  return length === body.length - PREFIX ? body.subarray(PREFIX) : undefined;
}
