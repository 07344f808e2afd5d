/** The storefront: one platform, three teams, and the runtime that serves them. `npm start` serves it here. */
import { Chart } from 'cdk8s';
import { GatewayRuntime } from 'gatewright';
import { app } from './teams.ts';

new GatewayRuntime(new Chart(app, 'runtime'), 'gatewright', {
  image: 'registry.example.com/gatewright:0.1.0',
});

export default app;
