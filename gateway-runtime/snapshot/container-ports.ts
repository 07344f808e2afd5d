/**
 * Where a data plane binds the ports of its listeners: it has no right to bind those under 1024, and no two may meet. The
 * provisioner has Services point there; both ask this file, so a listener can come and go without a change of the pod.
 */

/** Health, metrics and explain of a data plane. */
export const ADMIN_PORT = 9902;

/** Where the control plane hands out configuration. */
export const CONTROL_PORT = 9903;

/** Above it are the ports under 1024: no system gives these to outgoing connections unless it is told to. */
const LOW_PORTS = 64_512;

/** Listener ports from 64512 on would meet those; they are served where no listener under 1024 takes their place. */
export function containerPort(listenerPort: number): number {
  if (listenerPort < 1024) return LOW_PORTS + listenerPort;
  // There is no listener port 0, so its place is free.
  return listenerPort === ADMIN_PORT ? LOW_PORTS : listenerPort;
}
