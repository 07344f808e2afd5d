/**
 * `gatewright replay` over a million lines of each format, no two requests alike, on one core:
 * `node --conditions=gatewright-source tests/bench/replay.ts [lines]`.
 */
import { spawnSync } from 'node:child_process';
import { once } from 'node:events';
import { createWriteStream, mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';

const LINES = Number(process.argv[2] ?? 1_000_000);
const APP = 'examples/storefront/app.ts';
const HOSTS = ['shop.example.com', 'media.example.com', 'data.example.com', 'www.shop.example.com'];
const PATHS = ['/cart', '/cart/items', '/foo', '/basket', '/thumbnails', '/other'];
const BROWSER = 'Mozilla/5.0 (X11; Linux x86_64) AppleWebKit/537.36 (KHTML, like Gecko) Chrome/120.0';

const FORMATS: Readonly<Record<string, (host: string, path: string) => string>> = {
  gatewright: (host, path) =>
    JSON.stringify({
      time: '2026-04-15T20:17:00.310Z',
      gateway: 'infra/shared-gw',
      listener: 'web.shop.example.com',
      port: 80,
      client: '192.0.2.1',
      protocol: 'HTTP/1.1',
      scheme: 'http',
      method: 'GET',
      host,
      path,
      status: 200,
      bytesReceived: 0,
      bytesSent: 1024,
      duration: 1.234,
      matched: { headers: { 'x-tier': 'gold' } },
      team: 'shop',
      namespace: 'shop',
      route: 'store',
      rule: 1,
      backend: 'shop/cart/8080',
      endpoint: '10.0.2.1:8080',
    }),
  traefik: (host, path) =>
    JSON.stringify({
      ClientAddr: '192.0.2.1:4711',
      DownstreamContentSize: 1024,
      DownstreamStatus: 200,
      Duration: 1_234_567,
      OriginStatus: 200,
      RequestAddr: host,
      RequestHost: host,
      RequestMethod: 'GET',
      RequestPath: path,
      RequestPort: '-',
      RequestProtocol: 'HTTP/1.1',
      RequestScheme: 'http',
      RouterName: 'shop@kubernetes',
      StartUTC: '2026-04-15T20:17:00.31Z',
      entryPointName: 'web',
      level: 'info',
    }),
  envoy: (host, path) =>
    `[2026-04-15T20:17:00.310Z] "GET ${path} HTTP/2" 200 - 154 0 226 100 "192.0.2.1" "${BROWSER}" "cc21d9b0-cf5c-432b-8c7e-98aeb7988cd2" "${host}" "10.0.2.1:80"`,
  'nginx-vhost': (host, path) =>
    `${host} 192.0.2.1 - - [15/Apr/2026:20:17:00 +0000] "GET ${path} HTTP/1.1" 200 1024 "-" "${BROWSER}"`,
};

/** Has a process say at its end what it took. */
const REPORTER = `data:text/javascript,process.on('exit',()=>{const r=process.resourceUsage();process._rawDebug(((r.userCPUTime+r.systemCPUTime)/1e6).toFixed(1)+' s of CPU, '+Math.round(r.maxRSS/1024)+' MiB')})`;

const folder = mkdtempSync(join(tmpdir(), 'gatewright-replay-'));
try {
  for (const [name, lineOf] of Object.entries(FORMATS)) {
    const log = join(folder, `${name}.log`);
    const file = createWriteStream(log);
    for (let i = 0; i < LINES; i++) {
      const path = `${PATHS[i % PATHS.length]}/${i}?a=${i}`;
      const host = HOSTS[Math.floor(i / 7) % HOSTS.length]!;
      if (!file.write(`${lineOf(host, name === 'gatewright' ? path.split('?')[0]! : path)}\n`))
        await once(file, 'drain');
    }
    file.end();
    await once(file, 'close');
    const { stderr } = spawnSync(
      'taskset',
      [
        ...['-c', '0', process.execPath, '--conditions=gatewright-source', '--import'],
        REPORTER,
        ...['cli/main.ts', 'replay', log, '--from', APP, '--against', APP],
      ],
      { encoding: 'utf8' },
    );
    console.log(`${name.padEnd(12)} ${LINES} lines: ${stderr.trim().split('\n').at(-1)}`);
    rmSync(log);
  }
} finally {
  rmSync(folder, { recursive: true });
}
