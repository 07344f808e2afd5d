/** What is attacked: the data plane, with room for all who come or not, or a peer of `tests/bench/proxy` that is installed. */
import { mkdtempSync, readdirSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { NODE_FLAGS } from '../../../gateway-runtime/control/provisioner/deployment.ts';
import { type Contender, isInstalled } from '../../bench/proxy/contender.ts';
import { listening } from '../../bench/proxy/measured.ts';
import { envoy } from '../../bench/proxy/peers/envoy.ts';
import { haproxy } from '../../bench/proxy/peers/haproxy.ts';
import { nginx } from '../../bench/proxy/peers/nginx.ts';
import { traefik } from '../../bench/proxy/peers/traefik.ts';
import { issue } from '../../support/certificates.ts';
import { prioritize, start, startProgram } from './processes.ts';

/** What it tells of itself, since it was asked last; a peer tells nothing but its sockets. */
export interface Seen {
  readonly loop99: number;
  readonly within99: number;
  readonly sockets: number;
}

export interface Gateway {
  readonly pid: number;
  readonly plain: number;
  readonly tls: number;
  seen(): Promise<Seen>;
}

const PEERS: readonly Contender[] = [nginx, haproxy, envoy, traefik];
/** Those that are installed. */
export const PEER_NAMES: readonly string[] = PEERS.filter(({ program }) => isInstalled(program!)).map(
  ({ name }) => name,
);

export async function startOwn(backendPort: number, limits: object): Promise<Gateway> {
  const args = [backendPort, JSON.stringify(limits)];
  const program = await startProgram('gateway', 'gateway.ts', args, NODE_FLAGS);
  const [plain, tls] = program.said.split(' ').map(Number) as [number, number];
  return { pid: program.child.pid!, plain, tls, seen: () => program.ask<Seen>('') };
}

export async function startPeer(name: string, backendPort: number): Promise<Gateway> {
  const folder = mkdtempSync(join(tmpdir(), 'gatewright-slow-'));
  process.on('exit', () => rmSync(folder, { recursive: true, force: true }));
  const { certificate, privateKey } = issue('infra/slow', ['*.example.com']);
  writeFileSync(join(folder, 'certificate.pem'), certificate);
  writeFileSync(join(folder, 'key.pem'), privateKey);
  const ports = { plain: 19_010, tls: 19_011 };
  const contender = PEERS.find((each) => each.name === name)!;
  const { pid, stdout } = start(
    'gateway',
    contender.command({ folder, backendPort, routes: 100, ports, slowClients: true }),
    contender.environment,
  );
  stdout!.resume();
  await listening(ports.plain);
  await listening(ports.tls);
  prioritize('peer', pid!);
  const sockets = () => readdirSync(`/proc/${pid}/fd`).length;
  return {
    pid: pid!,
    ...ports,
    seen: async () => ({ loop99: Number.NaN, within99: Number.NaN, sockets: sockets() }),
  };
}
