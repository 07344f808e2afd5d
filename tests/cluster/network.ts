/**
 * The network of the cluster, made inside the machine's own network namespace, the fabric: a bridge with one link to
 * each worker, which is a network namespace too. Clients of the cluster are in the fabric. There is no way out.
 */
import { existsSync, writeFileSync } from 'node:fs';
import { run } from './command.ts';
import { FABRIC, POOL, SERVICE_CIDR, type Worker } from './settings.ts';

/** Lets this namespace pass packets on; bridged ones are left alone. */
function forwardPackets(): void {
  writeFileSync('/proc/sys/net/ipv4/ip_forward', '1');
  const filterBridged = '/proc/sys/net/bridge/bridge-nf-call-iptables';
  if (existsSync(filterBridged)) writeFileSync(filterBridged, '0');
}

const ip = (args: readonly string[], lines: readonly string[]) =>
  run('ip', [...args, '-batch', '-'], { input: `${lines.join('\n')}\n` });

export async function makeNetwork(workers: readonly Worker[]): Promise<void> {
  forwardPackets();
  await ip(
    [],
    [
      'link set lo up',
      'link add fabric type bridge',
      `addr add ${FABRIC}/24 dev fabric`,
      'link set fabric up',
      ...workers.flatMap(({ name, address, podCidr }) => [
        `netns add ${name}`,
        `link add ${name} type veth peer name eth0 netns ${name}`,
        `link set ${name} master fabric up`,
        `route add ${podCidr} via ${address}`,
      ]),
      // The kube-proxy of the first worker takes what is for a Service; the load balancer has rules of its own.
      ...[SERVICE_CIDR, POOL].map((range) => `route add ${range} via ${workers[0]!.address}`),
    ],
  );
  for (const worker of workers) {
    const others = workers.filter((each) => each !== worker);
    await ip(
      ['-n', worker.name],
      [
        'link set lo up',
        `addr add ${worker.address}/24 dev eth0`,
        'link set eth0 up',
        `route add default via ${FABRIC}`,
        ...others.map(({ podCidr, address }) => `route add ${podCidr} via ${address}`),
      ],
    );
  }
}
