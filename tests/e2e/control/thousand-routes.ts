import { setTimeout as sleep } from 'node:timers/promises';
import { expect } from '@jest/globals';
import type { ApiClient } from '../../../gateway-runtime/control/cluster/client.ts';
import type { ApiObject } from '../../../gateway-runtime/control/cluster/reflector.ts';
import { eventually } from '../../cluster/command.ts';
import type { TestObject } from './objects.ts';
import { WriteCounts } from './status-counts.ts';

const GROUP = '/apis/gateway.networking.k8s.io/v1/namespaces/default';

/**
 * Makes 1,000 routes of the Gateway `edge`, and expects that all are settled in 3 seconds, with one write each and few to the Gateway.
 *
 * @param isSettled whether a route's status says what it is to say
 * @param report what is known of those who settle them, for an error
 */
export async function settleThousandRoutes(
  client: ApiClient,
  made: (...objects: TestObject[]) => Promise<void>,
  routeNamed: (name: string) => TestObject,
  isSettled: (route: ApiObject | undefined) => boolean,
  report: () => Promise<string> = async () => '',
): Promise<void> {
  const routes = await WriteCounts.on(client, `${GROUP}/httproutes`);
  const gateways = await WriteCounts.on(client, `${GROUP}/gateways`);
  try {
    const names = Array.from({ length: 1_000 }, (_, index) => `route-${index}`);
    const created = performance.now();
    await made(...names.map(routeNamed));
    const began = performance.now();
    await eventually(30_000, async () => {
      const { listeners } = gateways.objects.get('edge')!.status as {
        listeners: readonly { attachedRoutes: number }[];
      };
      const missing = names.filter((name) => !isSettled(routes.objects.get(name)));
      // To show the difference of long lists would take the processor from a control plane in this process.
      if (listeners[0]!.attachedRoutes !== names.length || missing.length > 0) {
        throw new Error(`${listeners[0]!.attachedRoutes} attached, ${missing.length} not settled`);
      }
    }).catch(async ({ message }: Error) => {
      throw new Error(`${message}\n${await report()}`);
    });
    const seconds = (performance.now() - began) / 1000;
    process.stderr.write(
      `1,000 routes were made in ${((began - created) / 1000).toFixed(1)} s and settled ${seconds.toFixed(2)} s later, ` +
        `with ${gateways.of('edge')} writes to the Gateway\n`,
    );
    expect(seconds).toBeLessThan(3);
    await sleep(2_000);
    expect(names.filter((name) => routes.of(name) !== 1)).toEqual([]);
    expect(gateways.of('edge')).toBeLessThan(20);
  } finally {
    await Promise.all([routes.stop(), gateways.stop()]);
  }
}
