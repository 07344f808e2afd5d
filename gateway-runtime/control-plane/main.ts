#!/usr/bin/env node
/** The process of the control plane, in a pod or out of it. */
import { randomUUID } from 'node:crypto';
import { readFile } from 'node:fs/promises';
import { ApiClient } from '../control/cluster/client.ts';
import { connection, kubeconfigConnection } from '../control/cluster/connection.ts';
import { Provisioner } from '../control/provisioner.ts';
import { hostOf, runProcess, stopSignal, tell, untilStopped } from '../distribution/process.ts';
import { re2 } from '../regex/re2.ts';
import { ControlPlane } from './control-plane.ts';
import { type ProcessOptions, processOptions, USAGE } from './options.ts';

await runProcess(processOptions, USAGE, run);

async function run(options: ProcessOptions): Promise<void> {
  // From the beginning, so that it does not end with the Lease in its hands.
  const stopped = stopSignal();
  const { kubeconfig, pod, podIp, tokenFile, image, listen, admin, service, clusterDomain, lease } = options;
  const api = kubeconfig ? kubeconfigConnection([kubeconfig]) : connection();
  const client = new ApiClient(api);
  const namespace = options.namespace ?? api.namespace;
  const host = `${service}.${namespace}.svc`;
  const controlPlane = new ControlPlane({
    client,
    regex: re2,
    namespace,
    identity: `${pod}_${randomUUID()}`,
    listen,
    ...(podIp ? { peerAddress: hostOf(podIp) } : {}),
    ...(tokenFile ? { token: async () => (await readFile(tokenFile, 'utf8')).trim() } : {}),
    admin,
    names: [host, `${host}.${clusterDomain}`, `${service}.${namespace}`, ...options.names],
    ...(image === undefined
      ? {}
      : {
          provisioner: (surroundings) =>
            new Provisioner({ ...surroundings, image, controlPlane: { host, port: listen.port } }),
        }),
    onEvent: tell,
    election: { duration: lease, deadline: (lease * 2) / 3, period: (lease * 2) / 15 },
  });
  await untilStopped(stopped, controlPlane.start(), admin.address);
  await controlPlane.stop();
  client.close();
}
