/** A command that can be pasted into a shell and reaches a route as it is served here. */

import { isCredentialName } from '../../gateway-runtime/snapshot/credential.ts';
import { WIDTH } from '../terminal.ts';
import type { RouteRow } from './route-rows.ts';

export interface ServedAt {
  /** The address that listeners are bound to. */
  readonly address: string;
  /** The port bound for a listener port; undefined where it could not be bound. */
  localPort(port: number): number | undefined;
  /** The file with the root certificate, where certificates were made here. */
  readonly caFile?: string;
  /** The file with a certificate for clients and its key, where one was made here. */
  readonly clientFile?: string;
}

/** What stands for a credential, to be replaced by whoever pastes the command. */
const PLACEHOLDER = '<value>';

/** A command with openssl for a TLSRoute. Undefined for a route that no fixed request can be written for: an expression, or a port that is not bound. */
export function curlFor(row: RouteRow, at: ServedAt, protocol?: 'HTTP' | 'HTTPS'): string | undefined {
  const listener = row.listeners.find((each) => !protocol || each.protocol === protocol);
  const port = listener && at.localPort(listener.port);
  if (!listener || port === undefined) return undefined;
  if (!row.condition) return handshakeWith(row, at, port);
  const { path, method, headers, queryParams } = row.condition;
  if ([path, ...headers, ...queryParams].some(({ type }) => type === 'RegularExpression')) return undefined;

  const address = addressOf(at);
  const bracketed = address.includes(':') ? `[${address}]` : address;
  const scheme = listener.protocol.toLowerCase();
  // Any host under a wildcard will do; without a hostname, the address itself.
  const host = row.host === '*' ? bracketed : row.host.replace('*', 'any');
  const query = queryParams.map(
    ({ name, value }) =>
      `${encodeURIComponent(name)}=${isCredentialName(name) ? PLACEHOLDER : encodeURIComponent(value)}`,
  );
  const url = `${scheme}://${host}:${port}${path.value}${query.length > 0 ? `?${query.join('&')}` : ''}`;
  const parts = [
    'curl',
    // Of a redirect there is nothing to see but the head.
    ...(row.rule.type === 'http-rule' && row.rule.filters.some(({ type }) => type === 'RequestRedirect')
      ? ['-i']
      : []),
    ...(method && method !== 'GET' ? [method === 'HEAD' ? '--head' : `-X ${method}`] : []),
    ...(scheme === 'https' && at.caFile ? [`--cacert ${quoted(at.caFile)}`] : []),
    ...(listener.clientCertificates && at.clientFile ? [`--cert ${quoted(at.clientFile)}`] : []),
    ...(row.host === '*' ? [] : [`--resolve ${host}:${port}:${address}`]),
    ...headers.map(
      ({ name, value }) => `-H ${quoted(`${name}: ${isCredentialName(name) ? PLACEHOLDER : value}`)}`,
    ),
    quoted(url),
  ];
  return fold(parts);
}

const addressOf = ({ address }: ServedAt) =>
  address === '0.0.0.0' || address === '::' ? '127.0.0.1' : address;

/** Of a TLSRoute nothing is known but the server name: what answers shows its certificate. */
function handshakeWith({ host }: RouteRow, at: ServedAt, port: number): string {
  const address = addressOf(at);
  const to = `${address.includes(':') ? `[${address}]` : address}:${port}`;
  return fold(['openssl s_client', `-connect ${quoted(to)}`, `-servername ${host.replace('*', 'any')}`]);
}

/** On one line where it fits, else with the line ends of a shell. */
function fold(parts: readonly string[]): string {
  const lines: string[] = [];
  for (const part of parts) {
    const line = lines.at(-1);
    if (line !== undefined && line.length + part.length + 5 <= WIDTH)
      lines[lines.length - 1] = `${line} ${part}`;
    else lines.push(part);
  }
  return lines.join(' \\\n    ');
}

function quoted(text: string): string {
  return /^[\w@%+=:,./[\]-]+$/.test(text) && !/[[\]]/.test(text)
    ? text
    : `'${text.replaceAll("'", "'\\''")}'`;
}
