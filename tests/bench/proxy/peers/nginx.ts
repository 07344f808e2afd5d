import { rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { type Contender, eachRoute } from '../contender.ts';

const FIELDS = [
  'Connection ""',
  'Host $host',
  'X-Forwarded-For $proxy_add_x_forwarded_for',
  'X-Forwarded-Proto $scheme',
  'X-Forwarded-Host $host',
  'X-Real-Ip $remote_addr',
]
  .map((field) => `proxy_set_header ${field};`)
  .join(' ');

export const nginx: Contender = {
  name: 'nginx',
  program: 'nginx',
  asksVersion: '-v',
  command({ folder, backendPort, routes, ports, slowClients }) {
    const file = join(folder, 'nginx.conf');
    const status = join(folder, 'nginx-status.sock');
    // One that was killed leaves it behind, and the next can't bind it then.
    rmSync(status, { force: true });
    writeFileSync(
      file,
      `daemon off; master_process off; worker_processes 1; pid ${folder}/nginx.pid; error_log ${folder}/nginx-error.log;
events { worker_connections ${slowClients ? 32_000 : 8_000}; }
http {
  access_log ${folder}/nginx-access.log combined buffer=64k;
  keepalive_requests 100000000;
${slowClients ? '  client_header_timeout 15s; proxy_max_temp_file_size 0;\n' : ''}  client_body_buffer_size 64k; client_max_body_size 100m;
  server_names_hash_max_size 65536; server_names_hash_bucket_size 128;
  ssl_certificate ${folder}/certificate.pem; ssl_certificate_key ${folder}/key.pem; ssl_protocols TLSv1.2 TLSv1.3;
  server { listen unix:${status}; location / { stub_status; } }
  upstream backend { server 127.0.0.1:${backendPort} weight=90; server localhost:${backendPort} weight=10; keepalive 128; keepalive_requests 100000000; }
${eachRoute(
  routes,
  (i) =>
    `  server { listen 127.0.0.1:${ports.plain}; listen 127.0.0.1:${ports.tls} ssl; server_name h${i}.example.com; location /api/v${i} { proxy_pass http://backend; proxy_http_version 1.1; ${FIELDS} } }`,
)}
}
`,
    );
    return ['nginx', '-p', folder, '-c', file];
  },
};
