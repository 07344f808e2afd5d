/** Canonical JSON and hashes: the same content has the same bytes, whatever the order of its keys. */
import { hash } from 'node:crypto';

/** JSON with keys in code unit order and without undefined values. For plain data only. */
export function canonicalJson(value: unknown): string {
  if (Array.isArray(value)) return `[${value.map((item) => canonicalJson(item ?? null)).join(',')}]`;
  if (typeof value === 'object' && value !== null) {
    const record = value as Record<string, unknown>;
    const fields = Object.keys(record)
      .filter((key) => record[key] !== undefined)
      .sort()
      .map((key) => `${JSON.stringify(key)}:${canonicalJson(record[key])}`);
    return `{${fields.join(',')}}`;
  }
  return JSON.stringify(value) ?? 'null';
}

/** SHA-256 of the canonical JSON, in hexadecimal. */
export function contentHash(value: unknown): string {
  return hash('sha256', canonicalJson(value), 'hex');
}

/**
 * A hash over a set of hashes that does not depend on their order and is brought up to date in constant time when one
 * member comes or goes: the sum modulo 2^256.
 */
export class SetHash {
  #sum: bigint;

  /** Of the members whose hash this is; without one, of none. */
  constructor(known?: string) {
    this.#sum = known === undefined ? 0n : BigInt(`0x${known}`);
  }

  add(memberHash: string): void {
    this.#sum = BigInt.asUintN(256, this.#sum + BigInt(`0x${memberHash}`));
  }

  remove(memberHash: string): void {
    this.#sum = BigInt.asUintN(256, this.#sum - BigInt(`0x${memberHash}`));
  }

  toString(): string {
    return this.#sum.toString(16).padStart(64, '0');
  }
}
