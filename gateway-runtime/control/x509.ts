/**
 * Makes certificates (RFC 5280) with ECDSA keys on P-256, as far as serving on one's own machine and the control plane need them:
 * a root, and server certificates under it. DER (X.690) is written directly: the structure is fixed and small.
 */
import {
  createHash,
  createPublicKey,
  generateKeyPairSync,
  type KeyObject,
  randomBytes,
  sign,
  type X509Certificate,
} from 'node:crypto';
import { isIPv4, isIPv6 } from 'node:net';

export interface Issuer {
  readonly name: string;
  readonly key: KeyObject;
  readonly keyId: Buffer;
}

export interface Issued {
  /** PEM. */
  readonly certificate: string;
  readonly key: KeyObject;
}

const OID = {
  commonName: '2.5.4.3',
  ecdsaWithSha256: '1.2.840.10045.4.3.2',
  subjectKeyIdentifier: '2.5.29.14',
  keyUsage: '2.5.29.15',
  subjectAltName: '2.5.29.17',
  basicConstraints: '2.5.29.19',
  authorityKeyIdentifier: '2.5.29.35',
  extendedKeyUsage: '2.5.29.37',
  serverAuth: '1.3.6.1.5.5.7.3.1',
  clientAuth: '1.3.6.1.5.5.7.3.2',
};

/**
 * A self-signed root that may issue certificates and, unless told otherwise, no authorities below itself. `now` is in milliseconds since
 * 1970.
 */
export function makeRoot(name: string, days: number, now = Date.now(), pathLength = 0): Issuer & Issued {
  const { publicKey, privateKey } = generateKeyPairSync('ec', { namedCurve: 'P-256' });
  const keyId = keyIdOf(publicKey);
  const issuer = { name, key: privateKey, keyId };
  const extensions = authorityExtensions(keyId, pathLength);
  return { ...issuer, certificate: signed(issuer, name, publicKey, days, now, extensions) };
}

/** A root that was made before, from its certificate and key. */
export function issuerOf({ subject }: X509Certificate, key: KeyObject): Issuer {
  return { name: subject.replace(/^CN=/, ''), key, keyId: keyIdOf(createPublicKey(key)) };
}

/** What a certificate is for, besides its subject. */
export interface CertificateUse {
  readonly purpose: 'server' | 'client';
  /** DNS names (wildcards too), IP addresses and URIs. */
  readonly names: readonly string[];
}

/** A server certificate for these DNS names (wildcards too), IP addresses and URIs. */
export function issueServerCertificate(
  issuer: Issuer,
  names: readonly string[],
  days: number,
  now = Date.now(),
): Issued {
  // A common name has at most 64 characters (RFC 5280 appendix A); clients look at the alternative names.
  return issueCertificate(issuer, names[0]!.slice(0, 64), { purpose: 'server', names }, days, now);
}

/** A certificate that can't issue others. */
export function issueCertificate(
  issuer: Issuer,
  subject: string,
  { purpose, names }: CertificateUse,
  days: number,
  now = Date.now(),
): Issued {
  const { publicKey, privateKey } = generateKeyPairSync('ec', { namedCurve: 'P-256' });
  const extensions = [
    extension(OID.basicConstraints, sequence(), 'critical'),
    // digitalSignature.
    extension(OID.keyUsage, bitString(Buffer.from([0b1000_0000]), 7), 'critical'),
    extension(
      OID.extendedKeyUsage,
      sequence(objectId(purpose === 'server' ? OID.serverAuth : OID.clientAuth)),
    ),
    ...(names.length > 0 ? [extension(OID.subjectAltName, sequence(...names.map(alternativeName)))] : []),
    extension(OID.subjectKeyIdentifier, octetString(keyIdOf(publicKey))),
    extension(OID.authorityKeyIdentifier, sequence(tlv(0x80, issuer.keyId))),
  ];
  const certificate = signed(issuer, subject, publicKey, days, now, extensions);
  return { certificate, key: privateKey };
}

/** An authority below another one, which may issue certificates but no authorities. */
export function issueAuthority(
  issuer: Issuer,
  name: string,
  days: number,
  now = Date.now(),
): Issuer & Issued {
  const { publicKey, privateKey } = generateKeyPairSync('ec', { namedCurve: 'P-256' });
  const keyId = keyIdOf(publicKey);
  const certificate = signed(issuer, name, publicKey, days, now, [
    ...authorityExtensions(keyId, 0),
    extension(OID.authorityKeyIdentifier, sequence(tlv(0x80, issuer.keyId))),
  ]);
  return { name, key: privateKey, keyId, certificate };
}

/** @param pathLength authorities that may be between it and what is issued */
const authorityExtensions = (keyId: Buffer, pathLength: number) => [
  extension(OID.basicConstraints, sequence(TRUE, integer(Buffer.from([pathLength]))), 'critical'),
  // keyCertSign and cRLSign (RFC 5280 section 4.2.1.3).
  extension(OID.keyUsage, bitString(Buffer.from([0b0000_0110]), 1), 'critical'),
  extension(OID.subjectKeyIdentifier, octetString(keyId)),
];

function signed(
  issuer: Issuer,
  subject: string,
  publicKey: KeyObject,
  days: number,
  now: number,
  extensions: Buffer[],
): string {
  const algorithm = sequence(objectId(OID.ecdsaWithSha256));
  const serial = randomBytes(16);
  // Positive and of full length.
  serial[0] = (serial[0]! & 0x7f) | 0x40;
  const toBeSigned = sequence(
    tlv(0xa0, integer(Buffer.from([2]))),
    integer(serial),
    algorithm,
    distinguishedName(issuer.name),
    // An hour back, for clocks that differ.
    sequence(utcTime(now - 3_600_000), utcTime(now + days * 86_400_000)),
    distinguishedName(subject),
    publicKey.export({ type: 'spki', format: 'der' }),
    tlv(0xa3, sequence(...extensions)),
  );
  const signature = sign('sha256', toBeSigned, issuer.key);
  return pem('CERTIFICATE', sequence(toBeSigned, algorithm, bitString(signature, 0)));
}

/** SHA-1 of the key, as RFC 5280 section 4.2.1.2 (1) names keys; not a matter of security. */
function keyIdOf(publicKey: KeyObject): Buffer {
  const spki = publicKey.export({ type: 'spki', format: 'der' });
  return createHash('sha1').update(spki.subarray(-65)).digest();
}

function alternativeName(name: string): Buffer {
  if (isIPv4(name)) return tlv(0x87, Buffer.from(name.split('.').map(Number)));
  if (isIPv6(name)) return tlv(0x87, ipv6Bytes(name));
  return tlv(name.includes('://') ? 0x86 : 0x82, Buffer.from(name, 'latin1'));
}

function ipv6Bytes(address: string): Buffer {
  // The URL parser writes every IPv6 address in its shortest form, IPv4 parts included.
  const [head = '', tail] = new URL(`http://[${address}]`).hostname.slice(1, -1).split('::');
  const groups = (text: string) => (text ? text.split(':').map((group) => Number.parseInt(group, 16)) : []);
  const front = groups(head);
  const back = groups(tail ?? '');
  const all = [...front, ...Array<number>(8 - front.length - back.length).fill(0), ...back];
  const bytes = Buffer.alloc(16);
  all.forEach((group, index) => {
    bytes.writeUInt16BE(group, index * 2);
  });
  return bytes;
}

const TRUE = Buffer.from([0x01, 0x01, 0xff]);

function tlv(tag: number, ...parts: Uint8Array[]): Buffer {
  const content = Buffer.concat(parts);
  const { length } = content;
  const size =
    length < 0x80 ? [length] : length < 0x100 ? [0x81, length] : [0x82, length >> 8, length & 0xff];
  return Buffer.concat([Buffer.from([tag, ...size]), content]);
}

const sequence = (...parts: Uint8Array[]) => tlv(0x30, ...parts);
const integer = (bytes: Uint8Array) => tlv(0x02, bytes);
const octetString = (bytes: Uint8Array) => tlv(0x04, bytes);
const bitString = (bytes: Uint8Array, unusedBits: number) => tlv(0x03, Buffer.from([unusedBits]), bytes);

function objectId(text: string): Buffer {
  const [first = 0, second = 0, ...rest] = text.split('.').map(Number);
  const bytes = [first * 40 + second];
  for (const arc of rest) {
    const digits = [arc & 0x7f];
    for (let left = arc >> 7; left > 0; left >>= 7) digits.unshift((left & 0x7f) | 0x80);
    bytes.push(...digits);
  }
  return tlv(0x06, Buffer.from(bytes));
}

function extension(id: string, value: Buffer, critical?: 'critical'): Buffer {
  return sequence(objectId(id), ...(critical ? [TRUE] : []), octetString(value));
}

function distinguishedName(commonName: string): Buffer {
  return sequence(tlv(0x31, sequence(objectId(OID.commonName), tlv(0x0c, Buffer.from(commonName)))));
}

/** Years 1950 to 2049 (RFC 5280 section 4.1.2.5.1). */
function utcTime(at: number): Buffer {
  const text = new Date(at).toISOString().replace(/[-:T]|\.\d+/g, '');
  return tlv(0x17, Buffer.from(text.slice(2)));
}

function pem(label: string, der: Buffer): string {
  const lines = der.toString('base64').match(/.{1,64}/g)!;
  return `-----BEGIN ${label}-----\n${lines.join('\n')}\n-----END ${label}-----\n`;
}
