/** The storefront as a Pulumi program: Gateway API, the runtime, the gateways and the teams. */
import { RunError } from '@pulumi/pulumi';
import { Chart } from 'cdk8s';
import { GatewayRuntime } from 'gatewright';
import { app } from '../examples/storefront/teams.ts';
import { AppResources } from './app-resources.ts';
import { gatewayApi } from './gateway-api.ts';
import { waitForRoutes } from './route-wait.ts';
import { readSettings } from './settings.ts';

try {
  const { image, classes, crds, wait, certificates } = await readSettings();
  const definitions = await gatewayApi(crds);
  new GatewayRuntime(new Chart(app, 'runtime'), 'gatewright', { image, ...(classes && { classes }) });
  await waitForRoutes(new AppResources('storefront', { app, definitions, certificates }), wait);
} catch (error) {
  // What is wrong stands in the message; a stack would hide it.
  throw new RunError((error as Error).message);
}
