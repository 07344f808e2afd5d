/** Two stacks, of the platform and of a team: what the team was granted comes to it by a StackReference. No cluster is asked. */
import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { RAN_ON } from '../../pulumi/programs.ts';
import { Stack } from '../../pulumi/stack.ts';

const PROGRAM = 'infra/index.ts';

/** Both repositories have the one project, each with a stack and a program of its own. */
const platform = (hostname: string, maxRequestBytes: number) => `
import { readFileSync } from 'node:fs';
import { App } from 'cdk8s';
import { http, PlatformChart, SharedGateway, Team } from 'gatewright';

const chart = new PlatformChart(new App(), 'platform', { namespace: 'infra' });
const shared = new SharedGateway(chart, 'shared-gw', { listeners: { web: http(80) } });
shared.enforce({ maxRequestBytes: ${maxRequestBytes} });
shared.grant(new Team(chart, 'shop'), { hostnames: ['${hostname}'] });
chart.exportGrants('grants/shop.ts');
export const granted = JSON.parse(readFileSync('grants/shop.json', 'utf8'));
`;

const TEAM = `
import { RunError, StackReference } from '@pulumi/pulumi';
import { App } from 'cdk8s';
import { importGrant, service, TeamChart, TeamRoute } from 'gatewright';
import { AppResources } from 'gatewright/pulumi';

const { value } = await new StackReference('organization/gatewright/platform').getOutputDetails('granted');
const { team, grants } = value;
const app = new App();
const chart = new TeamChart(app, 'shop', { team, on: importGrant(grants.shop) });
new TeamRoute(chart, 'cart', { hostnames: ['cart.shop.example.com'] }).rule().to(service('cart', 8080)).policy({ maxRequestBytes: 1000 });
try {
  new AppResources('shop', { app });
} catch (error) {
  throw new RunError(error.message);
}
`;

let stack: Stack;

/** The stack of the platform with the team's hostname and what it enforces, and then a preview of the team's. */
async function preview(hostname: string, maxRequestBytes = 1000) {
  stack.write(PROGRAM, platform(hostname, maxRequestBytes));
  await stack.succeed(['up', '--yes', '--skip-preview', '--stack', 'platform']);
  stack.write(PROGRAM, TEAM);
  return stack.run(['preview', '--stack', 'shop']);
}

describe(`grants by a StackReference (${RAN_ON})`, () => {
  beforeAll(async () => {
    stack = await Stack.create();
    for (const name of ['platform', 'shop']) await stack.succeed(['stack', 'init', name]);
  });
  afterAll(() => stack?.remove());

  it('let a team have its routes', async () => {
    const { status, text } = await preview('*.shop.example.com');
    expect(text).toMatch(/HTTPRoute\/shop\/cart create/);
    expect(status).toBe(0);
  });

  it('and hold it to what it still has, before anything is changed', async () => {
    const { status, text } = await preview('www.shop.example.com');
    expect(status).not.toBe(0);
    expect(text).toMatch(/error: one error in the app:\n +\[shop\/cart\] .*cart\.shop\.example\.com/);
  });

  it('and to what the platform enforces by now', async () => {
    const { status, text } = await preview('*.shop.example.com', 999);
    expect(status).not.toBe(0);
    expect(text).toMatch(
      /\[shop\/cart\/Policy\] RoutePolicy\/shop\/cart spec\.maxRequestBytes: found 1000, and GatewayPolicy infra\/shared-gw does not let it be so/,
    );
  });
});
