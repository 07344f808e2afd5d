/** Configurations of the peers that serve what `gatewright.ts` serves, each with one worker, an access log and keep-alive to the backend. */
import { writeFileSync } from 'node:fs';
import { join } from 'node:path';

export interface Contender {
  readonly name: string;
  readonly command: (port: number) => readonly [string, ...string[]];
}

export interface Setting {
  readonly folder: string;
  readonly backendPort: number;
  readonly routes: number;
}

const each = (routes: number, line: (index: number) => string) =>
  Array.from({ length: routes }, (_, index) => line(index)).join('\n');

export function haproxy({ folder, backendPort, routes }: Setting): Contender {
  return {
    name: 'haproxy',
    command(port) {
      const file = join(folder, `haproxy-${port}.cfg`);
      const map = join(folder, 'haproxy.map');
      writeFileSync(
        map,
        each(routes, (i) => `h${i}.example.com routes`),
      );
      writeFileSync(
        file,
        `global
  nbthread 1
  log stdout format raw local0
defaults
  mode http
  log global
  option httplog
  option forwardfor
  timeout connect 5s
  timeout client 60s
  timeout server 60s
  http-reuse always
frontend web
  bind 127.0.0.1:${port}
  http-request set-header X-Forwarded-Proto http
  http-request set-header X-Forwarded-Host %[req.hdr(host)]
  http-request set-header X-Real-Ip %[src]
  use_backend %[req.hdr(host),lower,map(${map})]
backend routes
  balance roundrobin
  server one 127.0.0.1:${backendPort} weight 90
  server two 127.0.0.1:${backendPort} weight 10
`,
      );
      return ['haproxy', '-db', '-f', file];
    },
  };
}

export function nginx({ folder, backendPort, routes }: Setting): Contender {
  return {
    name: 'nginx',
    command(port) {
      const file = join(folder, `nginx-${port}.conf`);
      writeFileSync(
        file,
        `daemon off; master_process off; worker_processes 1; pid ${folder}/nginx-${port}.pid; error_log ${folder}/nginx-error.log;
events { worker_connections 4096; }
http {
  access_log ${folder}/nginx-access.log combined buffer=64k;
  keepalive_requests 1000000;
  server_names_hash_max_size 16384; server_names_hash_bucket_size 128;
  upstream backend { server 127.0.0.1:${backendPort} weight=90; server localhost:${backendPort} weight=10; keepalive 128; keepalive_requests 1000000; }
${each(
  routes,
  (i) =>
    `  server { listen 127.0.0.1:${port}; server_name h${i}.example.com; location /api/v${i} { proxy_pass http://backend; proxy_http_version 1.1; proxy_set_header Connection ""; proxy_set_header Host $host; proxy_set_header X-Forwarded-For $proxy_add_x_forwarded_for; proxy_set_header X-Forwarded-Proto $scheme; proxy_set_header X-Forwarded-Host $host; proxy_set_header X-Real-Ip $remote_addr; } }`,
)}
}
`,
      );
      return ['nginx', '-p', folder, '-c', file];
    },
  };
}

/** What answers behind all of them: 1 KB, from memory. */
export function origin(folder: string, port: number): readonly [string, ...string[]] {
  const file = join(folder, 'origin.conf');
  writeFileSync(join(folder, 'index.html'), 'x'.repeat(1024));
  writeFileSync(
    file,
    `daemon off; master_process off; worker_processes 1; pid ${folder}/origin.pid; error_log ${folder}/origin-error.log;
events { worker_connections 4096; }
http {
  access_log off; keepalive_requests 100000000; keepalive_timeout 600s; client_max_body_size 100m;
  server { listen 127.0.0.1:${port}; location / { return 200 "${'x'.repeat(1024)}"; } }
}
`,
  );
  return ['nginx', '-p', folder, '-c', file];
}
