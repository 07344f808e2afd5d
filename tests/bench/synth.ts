/**
 * What it costs to synthesize a large app. Run: `node --conditions=gatewright-source tests/bench/synth.ts [teams] [routes per team]`.
 * Prints the time to build the tree, to check it and give its objects, and what `app.synthYaml()` takes in all.
 */
import { ApiObject, App, type Chart } from 'cdk8s';
import {
  exact,
  http,
  https,
  PlatformChart,
  prefix,
  SharedGateway,
  secretRef,
  service,
  synthesize,
  Team,
  TeamChart,
  TeamRoute,
} from 'gatewright';

const TEAMS = Number(process.argv[2] ?? 200);
const ROUTES = Number(process.argv[3] ?? 10);

function serviceObject(chart: Chart, name: string): void {
  const spec = { ports: [{ port: 80 }] };
  new ApiObject(chart, name, { apiVersion: 'v1', kind: 'Service', metadata: { name }, spec });
}

function build(): App {
  const app = new App();
  const platform = new PlatformChart(app, 'platform', { namespace: 'infra' });
  const shared = new SharedGateway(platform, 'shared', {
    listeners: { web: http(80), secure: https(443, secretRef('wildcard')) },
  });
  for (let index = 0; index < TEAMS; index++) {
    const team = new Team(platform, `team-${index}`, { group: `team-${index}` });
    const edge = shared.grant(team, {
      hostnames: [`team-${index}.example.com`, `*.team-${index}.example.com`],
    });
    const chart = new TeamChart(app, `team-${index}`, { team });
    for (const name of ['gold', 'all', 'next', 'health']) serviceObject(chart, name);
    for (let each = 0; each < ROUTES; each++) {
      const route = new TeamRoute(chart, `route-${each}`, { on: edge });
      route.rule({ path: prefix(`/${each}`), headers: { 'x-tier': 'gold' } }).to(service('gold', 80));
      route.rule({ path: prefix(`/${each}`) }).to(service('all', 80), service('next', 80, { weight: 0 }));
      route.rule({ path: exact(`/${each}/health`) }).to(service('health', 80));
    }
  }
  return app;
}

function timed<T>(what: string, run: () => T): T {
  const start = performance.now();
  const result = run();
  console.log(`${what.padEnd(34)} ${(performance.now() - start).toFixed(0).padStart(7)} ms`);
  return result;
}

console.log(`${TEAMS} teams with ${ROUTES} routes each`);
const app = timed('the tree', build);
const { objects, warnings } = timed('synthesize(): checks and objects', () => synthesize(app));
process.stderr.write = () => true;
const yaml = timed('app.synthYaml()', () => app.synthYaml());
console.log(
  `${objects.length} objects, ${warnings.length} warnings, ${(yaml.length / 2 ** 20).toFixed(1)} MiB of YAML`,
);
