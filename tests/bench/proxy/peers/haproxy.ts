import { readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { type Contender, eachRoute } from '../contender.ts';

export const haproxy: Contender = {
  name: 'haproxy',
  program: 'haproxy',
  asksVersion: '-v',
  command({ folder, backendPort, routes, ports, slowClients }) {
    const file = join(folder, 'haproxy.cfg');
    const map = join(folder, 'haproxy.map');
    const both = join(folder, 'haproxy.pem');
    const pem = (name: string) => readFileSync(join(folder, name), 'utf8');
    writeFileSync(both, pem('certificate.pem') + pem('key.pem'));
    writeFileSync(
      map,
      eachRoute(routes, (i) => `h${i}.example.com/api/v${i} routes`),
    );
    writeFileSync(
      file,
      `global
  nbthread 1
  maxconn 8000
  stats socket ${folder}/haproxy-stats.sock
  log stdout format raw local0
  ssl-default-bind-options ssl-min-ver TLSv1.2
defaults
  mode http
  log global
  option httplog
  option forwardfor
  timeout connect 5s
  timeout client 60s
  timeout server 60s
${slowClients ? '  timeout http-request 15s\n' : ''}  http-reuse always
frontend web
  bind 127.0.0.1:${ports.plain}
  bind 127.0.0.1:${ports.tls} ssl crt ${both}
  http-request set-header X-Forwarded-Proto http
  http-request set-header X-Forwarded-Host %[req.hdr(host)]
  http-request set-header X-Real-Ip %[src]
  use_backend %[base,lower,map_beg(${map})]
backend routes
  balance roundrobin
  server one 127.0.0.1:${backendPort} weight 90
  server two 127.0.0.1:${backendPort} weight 10
`,
    );
    return ['haproxy', '-db', '-f', file];
  },
};
