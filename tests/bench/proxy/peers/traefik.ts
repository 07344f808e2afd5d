import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { type Contender, eachRoute } from '../contender.ts';

export const traefik: Contender = {
  name: 'Traefik',
  program: 'traefik',
  asksVersion: 'version',
  environment: { GOMAXPROCS: '1' },
  command({ folder, backendPort, routes, ports }) {
    const file = join(folder, 'traefik.yaml');
    const dynamic = join(folder, 'traefik-dynamic.yaml');
    const routers = eachRoute(
      routes,
      (i) => `    r${i}: { rule: "Host(\`h${i}.example.com\`) && PathPrefix(\`/api/v${i}\`)", service: both }
    s${i}: { rule: "Host(\`h${i}.example.com\`) && PathPrefix(\`/api/v${i}\`)", service: both, entryPoints: [secure], tls: {} }`,
    );
    writeFileSync(
      dynamic,
      `tls: { certificates: [{ certFile: ${folder}/certificate.pem, keyFile: ${folder}/key.pem }] }
http:
  routers:
${routers}
  services:
    both: { weighted: { services: [{ name: one, weight: 90 }, { name: two, weight: 10 }] } }
    one: { loadBalancer: { servers: [{ url: "http://127.0.0.1:${backendPort}" }] } }
    two: { loadBalancer: { servers: [{ url: "http://127.0.0.1:${backendPort}" }] } }
`,
    );
    writeFileSync(
      file,
      `global: { checkNewVersion: false, sendAnonymousUsage: false }
log: { level: ERROR }
accessLog: { filePath: ${folder}/traefik-access.log, bufferingSize: 100 }
metrics: { prometheus: {} }
serversTransport: { maxIdleConnsPerHost: 256 }
entryPoints:
  web: { address: "127.0.0.1:${ports.plain}", asDefault: true }
  secure: { address: "127.0.0.1:${ports.tls}" }
  traefik: { address: "127.0.0.1:${ports.plain + 5000}" }
providers: { file: { filename: ${dynamic} } }
`,
    );
    return ['traefik', `--configFile=${file}`];
  },
};
