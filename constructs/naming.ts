/** Names of objects: readable where they fit, bounded where they don't, and the same for the same content. */
import { contentHash } from '../gateway-runtime/snapshot/canonical.ts';

const LABEL = /^[a-z0-9]([-a-z0-9]*[a-z0-9])?$/;

/** A DNS label of at most 63 characters (RFC 1123): what a namespace and a team are called. */
export function labelProblem(what: string, name: unknown): string[] {
  if (typeof name === 'string' && name.length <= 63 && LABEL.test(name)) return [];
  return [
    `${what} ${JSON.stringify(name)}: a name has lower-case letters, digits and "-", begins and ends with a letter or digit, and has at most 63 characters`,
  ];
}

const SUBDOMAIN = /^[a-z0-9]([-a-z0-9]*[a-z0-9])?(\.[a-z0-9]([-a-z0-9]*[a-z0-9])?)*$/;

/** A DNS subdomain of at most 253 characters (RFC 1123): what most objects are called. */
export function nameProblem(kind: string, name: unknown): string[] {
  if (typeof name === 'string' && name.length <= 253 && SUBDOMAIN.test(name)) return [];
  return [
    `${kind} ${JSON.stringify(name)}: the name of an object has lower-case letters, digits, "-" and ".", begins and ends with a letter or digit, and has at most 253 characters: give it one with name`,
  ];
}

/** The parts joined by "-"; where that is longer than `limit`, its beginning and a hash of the whole. */
export function boundedName(parts: readonly string[], limit = 253): string {
  const name = parts.join('-');
  if (name.length <= limit) return name;
  const hash = contentHash(name).slice(0, 8);
  return `${name.slice(0, limit - hash.length - 1).replace(/[-.]+$/, '')}-${hash}`;
}
