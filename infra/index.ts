/** The storefront as a Pulumi program: Gateway API, the runtime, the gateways and the teams. */
import { type Output, RunError } from '@pulumi/pulumi';
import { Chart } from 'cdk8s';
import { GatewayRuntime } from 'gatewright';
import { AppResources, previewTraffic, waitForRoutes } from 'gatewright/pulumi';
import { app } from '../examples/storefront/teams.ts';
import { gatewayApi } from './gateway-api.ts';
import { readSettings } from './settings.ts';

/** What the next preview compares with. */
export let deployedTraffic: Output<string> | undefined;

try {
  const { image, classes, crds, wait, certificates, refuse } = await readSettings();
  new GatewayRuntime(new Chart(app, 'runtime'), 'gatewright', { image, ...(classes && { classes }) });
  // Changes that are refused, and meant: { host: 'shop.example.com', path: '/old', why: 'nobody calls it' }
  const traffic = await previewTraffic(app, { refuse, approve: [] });
  const definitions = await gatewayApi(crds);
  const resources = new AppResources('storefront', { app, definitions, certificates });
  deployedTraffic = traffic.deployedWith(resources.resources.values());
  await waitForRoutes(resources, wait);
} catch (error) {
  // What is wrong stands in the message; a stack would hide it.
  throw new RunError((error as Error).message);
}
