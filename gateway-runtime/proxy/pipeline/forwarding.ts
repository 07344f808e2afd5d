/**
 * X-Forwarded-For, -Host, -Port, -Proto, -Server and X-Real-Ip: what a backend learns of the client. What a client says of
 * itself is replaced, whole and under every spelling; only a trusted hop (another proxy of ours in front) is believed.
 *
 * That goes for certificates of clients too. Nothing is said of those that were verified here, and what a client says of its own, in the
 * fields of RFC 9440 or of other proxies, does not get through.
 */
import { BlockList, isIP } from 'node:net';
import type { AuthorizedHead } from '../../filters/definition.ts';
import { hostPort } from '../../match/normalize.ts';
import type { ClientConnection, Exchange } from '../exchange.ts';

/**
 * Any field that a backend may read as one of these. CGI, and what descends from it, turns "-" and other punctuation into "_", so
 * that X_Forwarded_For and X-Forwarded-For are one name there. Forwarded is the standard's form (RFC 7239).
 */
const FORWARDING =
  /^(?:x[^a-z0-9](?:forwarded|real[^a-z0-9]ip$|ssl[^a-z0-9]client|client[^a-z0-9]cert|amzn[^a-z0-9]mtls)|forwarded$)/;
const INITIALS = 'xf';
/** RFC 9440 section 2, as it is and as CGI may read it. By name, since many other fields have this initial. */
const CLIENT_CERTIFICATE = ['client-cert', 'client-cert-chain', 'client_cert', 'client_cert_chain'];
const PLAIN_NAME = /^[a-z0-9-]*$/;

const isForwarding = (name: string) => FORWARDING.test(name);
const isForwardingAlias = (name: string) => FORWARDING.test(name) && !PLAIN_NAME.test(name);

export class ForwardingFields {
  readonly #trusted: BlockList | undefined;
  readonly #serverName: string;

  /** `trustedHops`: addresses and CIDRs, such as `10.0.0.0/8` or `fd00::/8`. Throws where one is neither. */
  constructor(trustedHops: readonly string[], serverName: string) {
    this.#trusted = trustedHops.length ? blockList(trustedHops) : undefined;
    this.#serverName = serverName;
  }

  apply(exchange: Exchange): void {
    const { connection, head } = exchange;
    const trusted = this.#trusts(connection);
    if (!trusted) {
      this.#replace(connection, head);
      return;
    }
    head.removeIf(INITIALS, isForwardingAlias);
    const { remoteAddress } = connection;
    const before = head.get('x-forwarded-for');
    head.set('X-Forwarded-For', before ? `${before}, ${remoteAddress}` : remoteAddress);
    // What the first trusted hop saw is nearer to the client than what we see.
    if (!head.get('x-forwarded-host')) head.set('X-Forwarded-Host', head.authority);
    if (!head.get('x-forwarded-port')) head.set('X-Forwarded-Port', portOf(connection, head));
    if (!head.get('x-forwarded-proto')) head.set('X-Forwarded-Proto', head.scheme);
    head.set('X-Forwarded-Server', this.#serverName);
    if (!head.get('x-real-ip')) head.set('X-Real-Ip', remoteAddress);
    const forwarded = head.get('forwarded');
    if (forwarded) head.set('Forwarded', `${forwarded}, ${forwardedElement(connection, head.authority)}`);
  }

  #replace(connection: ClientConnection, head: AuthorizedHead): void {
    head.removeIf(INITIALS, isForwarding);
    for (const name of CLIENT_CERTIFICATE) head.remove(name);
    const { remoteAddress } = connection;
    // Nothing of the names is left, so there is nothing to replace.
    head.add('X-Forwarded-For', remoteAddress);
    head.add('X-Forwarded-Host', head.authority);
    head.add('X-Forwarded-Port', portOf(connection, head));
    head.add('X-Forwarded-Proto', head.scheme);
    head.add('X-Forwarded-Server', this.#serverName);
    head.add('X-Real-Ip', remoteAddress);
  }

  #trusts({ remoteAddress }: ClientConnection): boolean {
    if (!this.#trusted) return false;
    return this.#trusted.check(remoteAddress, isIP(remoteAddress) === 6 ? 'ipv6' : 'ipv4');
  }
}

const portOf = ({ port }: ClientConnection, { authority }: AuthorizedHead): string =>
  authority.includes(':') ? String(hostPort(authority) ?? port) : String(port);

/** RFC 7239 section 4. */
function forwardedElement({ remoteAddress, tls }: ClientConnection, authority: string): string {
  const node = isIP(remoteAddress) === 6 ? `"[${remoteAddress}]"` : remoteAddress;
  return `for=${node};host="${authority}";proto=${tls ? 'https' : 'http'}`;
}

const CIDR = /^([^/]+)(?:\/(\d{1,3}))?$/;

function blockList(hops: readonly string[]): BlockList {
  const list = new BlockList();
  for (const hop of hops) {
    const [, address = '', bits] = CIDR.exec(hop) ?? [];
    const family = isIP(address);
    const longest = family === 6 ? 128 : 32;
    const prefix = bits === undefined ? longest : Number(bits);
    if (!family || prefix > longest) {
      throw new Error(
        `the trusted hop "${hop}" is not an address or CIDR; write it like 10.0.0.0/8 or fd00::/8`,
      );
    }
    list.addSubnet(address, prefix, family === 6 ? 'ipv6' : 'ipv4');
  }
  return list;
}
