/** Ports that something else has: which, and what to do. */
import type { GatewayChange } from '../../gateway-runtime/control/loop.ts';
import type { Diagnostic } from '../../gateway-runtime/snapshot/diagnostic.ts';

/** The highest `--port-offset` that leaves room for the ports under 1024 and for a second Gateway on them. */
const HIGHEST = 63_000;

export function portsNotBound(gateways: readonly GatewayChange[]): Diagnostic[] {
  return gateways
    .flatMap(({ diagnostics }) => diagnostics)
    .filter(({ code }) => code === 'listener/port-not-bound');
}

/** What to do where none can be had: one sentence, without its full stop. */
export function remedy(unbound: readonly Diagnostic[], portOffset: number | 'free'): string {
  return unbound.every(({ message }) => message.endsWith('is no address of this machine'))
    ? 'Name another address: --address 127.0.0.1 for this machine alone, 0.0.0.0 for all its networks'
    : otherPorts(portOffset);
}

/** One sentence, without its full stop. */
export function otherPorts(portOffset: number | 'free'): string {
  if (portOffset === 'free') return 'Stop what has them';
  // npm keeps the options before `--` for itself.
  const npmStart = process.env.npm_lifecycle_event === 'start' ? 'npm start -- ' : '';
  const next = portOffset + 10_000;
  return `Stop what has them, or take other ports: ${npmStart}--port-offset ${next <= HIGHEST ? next : 'free'}`;
}
