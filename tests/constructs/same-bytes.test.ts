/** The same program gives the same bytes, and the order in which charts and grants are written changes no object. */
import { expect, it, jest } from '@jest/globals';
import { ApiObject, App, Chart } from 'cdk8s';
import { exact, http, PlatformChart, SharedGateway, service, Team, TeamChart, TeamRoute } from 'gatewright';
import { objects, warnings } from './synth.ts';

const NAMES = ['shop', 'media', 'data'];

function build(order: readonly string[]): App {
  const app = new App();
  const platform = new PlatformChart(app, 'platform', { namespace: 'infra' });
  const shared = new SharedGateway(platform, 'shared-gw', { listeners: { web: http(80) } });
  const edges = order.map((name) => {
    const team = new Team(platform, name, { group: name });
    return { team, edge: shared.grant(team, { hostnames: [`${name}.example.com`] }) };
  });
  for (const { team, edge } of edges) {
    const chart = new TeamChart(app, team.name, { team });
    new ApiObject(chart, 'app', {
      apiVersion: 'v1',
      kind: 'Service',
      metadata: { name: 'app' },
      spec: { ports: [{ port: 80 }] },
    });
    const route = new TeamRoute(chart, 'site', { on: edge });
    for (let index = 0; index < 40; index++) route.rule({ path: exact(`/${index}`) }).to(service('app', 80));
  }
  return app;
}

it('twice in one app and once in another', () => {
  const app = build(NAMES);
  const first = app.synthYaml();
  expect(app.synthYaml()).toBe(first);
  expect(build(NAMES).synthYaml()).toBe(first);
});

it('whatever is written first', () => {
  const sorted = (app: App) =>
    objects(app)
      .map((object) => JSON.stringify(object))
      .sort();
  const first = sorted(build(NAMES));
  expect(first.length).toBeGreaterThan(20);
  expect(sorted(build(NAMES.toReversed()))).toEqual(first);
  expect(warnings(build(NAMES))).toEqual([]);
});

it('the whole is checked once, however many charts are written', () => {
  const app = build(NAMES);
  for (let index = 0; index < 20; index++) new Chart(app, `more-${index}`);
  const asked = jest.fn(() => []);
  app.node.findChild('shop').node.addValidation({ validate: asked });
  const produced = jest.spyOn(ApiObject.prototype, 'toJson');
  try {
    app.synthYaml();
    const times = produced.mock.calls.length;
    const all = objects(app);
    // Once to check it, and once to write it; and each Gateway for its admission policies.
    const gateways = all.filter(({ kind }) => kind === 'Gateway').length;
    expect(times).toBeLessThanOrEqual(2 * all.length + gateways);
  } finally {
    produced.mockRestore();
  }
  // Validations of others are asked as often as cdk8s asks.
  expect(asked.mock.calls.length).toBeGreaterThan(20);
});
