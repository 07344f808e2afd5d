/** What would have to be granted, in the words of every layer: the compiler aside, synth, admission and the runtime say the same sentence. */

/** Hostnames as something that is granted; none stand for every one. */
export const hostnamesText = (hostnames: readonly string[]): string =>
  hostnames.length > 1 ? `hostnames ${hostnames.join(', ')}` : `hostname ${hostnames[0] ?? '*'}`;

/** Listeners with certificates that a team brings itself. */
export const ownCertificatesText = (hostnames: readonly string[]): string =>
  `${hostnamesText(hostnames)} with ownCertificates`;

/** Without a full stop. `gateway` is `namespace/name`. */
export const missingGrant = (what: string, gateway: string, team: string): string =>
  `Missing: a grant of ${what} at gateway ${gateway} to team ${team}`;
