/** What answers behind all of them: nginx, with 1 KB from memory, or the 10 MB of a file under `/download`; it reads what is posted. */
import { writeFileSync } from 'node:fs';
import { join } from 'node:path';

export const DOWNLOAD = 10 * 1024 * 1024;

export function origin(folder: string, port: number): readonly [string, ...string[]] {
  const file = join(folder, 'origin.conf');
  writeFileSync(join(folder, 'download'), Buffer.alloc(DOWNLOAD, 'x'));
  writeFileSync(join(folder, 'small'), 'x'.repeat(1024));
  writeFileSync(
    file,
    `daemon off; master_process off; worker_processes 1; pid ${folder}/origin.pid; error_log ${folder}/origin-error.log;
events { worker_connections 8000; }
http {
  access_log off; sendfile on; keepalive_requests 100000000; keepalive_timeout 600s; client_max_body_size 100m; client_body_buffer_size 64k;
  server {
    listen 127.0.0.1:${port};
    location / { return 200 "${'x'.repeat(1024)}"; }
    location ~ /download$ { root /; rewrite ^ ${folder}/download break; }
  }
}
`,
  );
  return ['nginx', '-p', folder, '-c', file];
}
