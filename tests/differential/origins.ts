/**
 * Origins of different make, each of which tells what requests it was sent, on which connection. Node's is always there; the others where
 * their program is installed. Proxies stand before an origin of Node that does the telling.
 */
import { execFileSync, spawn, spawnSync } from 'node:child_process';
import { createHash } from 'node:crypto';
import { once } from 'node:events';
import { existsSync, mkdirSync, writeFileSync } from 'node:fs';
import { createServer, type IncomingMessage, type ServerResponse } from 'node:http';
import { type AddressInfo, connect, createServer as createTcpServer } from 'node:net';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import { python, pythonWithGunicorn } from './gunicorn.ts';

export interface View {
  /** The address from which the connection came that brought it. */
  readonly peer: string;
  readonly method: string;
  readonly target: string;
  readonly host: string;
  /** One character per octet. */
  readonly body: string;
}

export interface Origin {
  readonly name: string;
  readonly port: number;
  readonly views: View[];
  close(): Promise<void>;
}

const FOLDER = join(import.meta.dirname, 'origins');

/** What every origin answers, so that an answer tells which request it belongs to. */
export const answerTo = (method: string, target: string, body: string): string =>
  `${method} ${target} ${createHash('sha1').update(Buffer.from(body, 'latin1')).digest('hex')}`;

/** An origin on node:http; behind a proxy, which says in X-Peer where its client came from. */
export async function nodeOrigin(name = 'node:http'): Promise<Origin> {
  const views: View[] = [];
  const server = createServer({ requireHostHeader: false, keepAliveTimeout: 60_000 });
  server.on('request', (message: IncomingMessage, response: ServerResponse) => {
    const chunks: Buffer[] = [];
    message.on('data', (chunk: Buffer) => chunks.push(chunk));
    message.on('error', () => {});
    message.on('end', () => {
      const { method = '', url: target = '', headers, socket } = message;
      const body = Buffer.concat(chunks).toString('latin1');
      const peer = (headers['x-peer'] as string | undefined) ?? socket.remoteAddress ?? '';
      // ProxyPass of Apache takes a slash away, so it says what it read.
      const read = (headers['x-line'] as string | undefined)?.split(' ')[1] ?? target;
      views.push({ peer, method, target: read, host: headers.host ?? '', body });
      const answer = answerTo(method, read, body);
      response.writeHead(200, { 'content-type': 'text/plain', 'content-length': answer.length });
      response.end(answer);
    });
  });
  server.on('clientError', (_, socket) =>
    socket.end('HTTP/1.1 400 Bad Request\r\nConnection: close\r\n\r\n'),
  );
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  return {
    name,
    port: (server.address() as AddressInfo).port,
    views,
    async close() {
      const closed = once(server, 'close');
      server.close();
      server.closeAllConnections();
      await closed;
    },
  };
}

async function freePort(): Promise<number> {
  const server = createTcpServer().listen(0, '127.0.0.1');
  await once(server, 'listening');
  const { port } = server.address() as AddressInfo;
  server.close();
  await once(server, 'close');
  return port;
}

async function listening(name: string, port: number): Promise<void> {
  for (let tries = 0; tries < 400; tries++) {
    const socket = connect(port, '127.0.0.1');
    const isOpen = await new Promise<boolean>((resolve) => {
      socket.on('connect', () => resolve(true));
      socket.on('error', () => resolve(false));
    });
    socket.destroy();
    if (isOpen) return;
    await new Promise((resolve) => setTimeout(resolve, 50));
  }
  throw new Error(`${name} does not listen at its port ${port} after 20 s`);
}

const isInstalled = (program: string) => spawnSync('which', [program]).status === 0;

interface Program {
  readonly name: string;
  /** As one requires it on the command line. */
  readonly id: string;
  /** Says its version, somewhere in what it prints. */
  readonly version: () => readonly [string, ...string[]];
  /** What it writes are views. */
  readonly tells: boolean;
  readonly isThere: () => boolean;
  /** Command line for a port to listen at, and one of an origin to ask. */
  readonly command: (port: number, behind: number, folder: string) => readonly [string, ...string[]];
}

function written(folder: string, name: string, text: string): string {
  const file = join(folder, name);
  writeFileSync(file, text);
  return file;
}

const APACHE_MODULES = ['/usr/lib/apache2/modules', '/usr/libexec/apache2', '/usr/lib/httpd/modules'];

/** The program for Go, built once into the folder. */
export function goProgram(folder: string): string | undefined {
  if (!isInstalled('go')) return undefined;
  const binary = join(folder, 'echo-go');
  if (!existsSync(binary)) {
    execFileSync('go', ['build', '-o', binary, join(FOLDER, 'echo.go')], {
      stdio: ['ignore', 'inherit', 'inherit'],
      env: { ...process.env, GOFLAGS: '-mod=mod', GO111MODULE: 'off' },
    });
  }
  return binary;
}

export function pythonReader(): readonly [string, ...string[]] | undefined {
  const program = python();
  return program ? [program, join(FOLDER, 'read.py')] : undefined;
}

const PROGRAMS: readonly Program[] = [
  {
    name: 'nginx',
    id: 'nginx',
    version: () => ['nginx', '-v'],
    tells: false,
    isThere: () => isInstalled('nginx'),
    command: (port, behind, folder) => [
      'nginx',
      '-p',
      folder,
      '-c',
      written(
        folder,
        'nginx.conf',
        `daemon off; master_process off; pid ${folder}/nginx.pid; error_log ${folder}/nginx-error.log;
events { worker_connections 1024; }
http {
  access_log off; client_max_body_size 0; client_body_temp_path ${folder}/nginx-body; proxy_temp_path ${folder}/nginx-proxy;
  keepalive_timeout 60s; keepalive_requests 1000000; merge_slashes off; large_client_header_buffers 8 32k;
  server {
    listen 127.0.0.1:${port};
    location / {
      proxy_pass http://127.0.0.1:${behind}; proxy_http_version 1.1;
      proxy_set_header Host $http_host; proxy_set_header X-Peer $remote_addr;
    }
  }
}
`,
      ),
    ],
  },
  {
    name: 'haproxy',
    id: 'haproxy',
    version: () => ['haproxy', '-v'],
    tells: false,
    isThere: () => isInstalled('haproxy'),
    command: (port, behind, folder) => [
      'haproxy',
      '-db',
      '-f',
      written(
        folder,
        'haproxy.cfg',
        `global
  nbthread 1
defaults
  mode http
  timeout connect 5s
  timeout client 60s
  timeout server 60s
frontend web
  bind 127.0.0.1:${port}
  http-request set-header X-Peer %[src]
  default_backend node
backend node
  server node 127.0.0.1:${behind}
`,
      ),
    ],
  },
  {
    name: 'apache',
    id: 'apache',
    version: () => ['apache2', '-v'],
    tells: false,
    isThere: () => isInstalled('apache2') && APACHE_MODULES.some((folder) => existsSync(folder)),
    command: (port, behind, folder) => [
      'apache2',
      '-DFOREGROUND',
      '-f',
      written(
        folder,
        'apache.conf',
        `ServerRoot ${folder}
ServerName localhost
PidFile ${folder}/apache.pid
DefaultRuntimeDir ${folder}
ErrorLog ${folder}/apache-error.log
Listen 127.0.0.1:${port}
${['mpm_event', 'authz_core', 'proxy', 'proxy_http', 'headers']
  .map(
    (name) => `LoadModule ${name}_module ${APACHE_MODULES.find((each) => existsSync(each))}/mod_${name}.so`,
  )
  .join('\n')}
${process.getuid?.() === 0 ? 'User nobody\nGroup nogroup' : ''}
KeepAlive On
KeepAliveTimeout 60
MaxKeepAliveRequests 0
AllowEncodedSlashes NoDecode
MergeSlashes Off
LimitRequestFieldSize 32768
ProxyPreserveHost On
ProxyPass / http://127.0.0.1:${behind}/ nocanon
RequestHeader set X-Peer "expr=%{REMOTE_ADDR}"
RequestHeader set X-Line "expr=%{THE_REQUEST}"
`,
      ),
    ],
  },
  {
    name: 'gunicorn',
    id: 'gunicorn',
    version: () => [pythonWithGunicorn()!, '-m', 'gunicorn', '--version'],
    tells: true,
    isThere: () => pythonWithGunicorn() !== undefined,
    command: (port) => [
      pythonWithGunicorn()!,
      '-m',
      'gunicorn',
      ...['--chdir', FOLDER, '-b', `127.0.0.1:${port}`, '-k', 'gthread', '--threads', '16'],
      ...['--keep-alive', '60', '--log-level', 'critical', '--limit-request-field_size', '32768', 'echo:app'],
    ],
  },
  {
    name: 'go net/http',
    id: 'go',
    version: () => ['go', 'version'],
    tells: true,
    isThere: () => isInstalled('go'),
    command: (port, _behind, folder) => [goProgram(folder)!, String(port)],
  },
];

/** Starts one. */
async function start(program: Program, folder: string): Promise<Origin> {
  const behind = program.tells ? undefined : await nodeOrigin();
  const views = behind?.views ?? [];
  const port = await freePort();
  const own = join(folder, program.name.replace(/\W/g, '-'));
  mkdirSync(own, { recursive: true, mode: 0o755 });
  const [name, ...args] = program.command(port, behind?.port ?? 0, own);
  const child = spawn(name, args, {
    stdio: ['ignore', 'pipe', 'inherit'],
    env: { ...process.env, PYTHONDONTWRITEBYTECODE: '1' },
  });
  const exited = once(child, 'exit');
  if (program.tells) {
    createInterface({ input: child.stdout }).on('line', (line) => {
      const view = JSON.parse(line) as View;
      views.push({ ...view, body: Buffer.from(view.body, 'base64').toString('latin1') });
    });
  } else child.stdout.resume();
  await listening(program.name, port);
  return {
    name: program.name,
    port,
    views,
    async close() {
      child.kill('SIGTERM');
      await exited;
      await behind?.close();
    },
  };
}

/** Such as `1.22.1`. */
function versionOf({ version }: Program): string {
  const [name, ...args] = version();
  const { stdout, stderr } = spawnSync(name, args, { encoding: 'utf8' });
  return /\d+\.\d+(?:\.\d+)?/.exec(stdout + stderr)?.[0] ?? '';
}

/** Names by which origins are required. Node is always there. */
export const ORIGINS: readonly string[] = ['node', ...PROGRAMS.map(({ id }) => id)];

export interface Installed {
  readonly origins: readonly Origin[];
  /** Of each, with its version. */
  readonly named: readonly string[];
  /** What is not installed, out of ORIGINS. */
  readonly missing: readonly string[];
}

/** All that are installed are started. `folder` holds their files. Nothing is started, and `origins` is empty, where one of `required` is missing. */
export async function installedOrigins(folder: string, required: readonly string[]): Promise<Installed> {
  const found = PROGRAMS.filter((program) => program.isThere());
  const named = [
    `node:http ${process.versions.node}`,
    ...found.map((program) => `${program.name} ${versionOf(program)}`),
  ];
  const missing = PROGRAMS.filter((program) => !found.includes(program)).map(({ id }) => id);
  if (required.some((id) => missing.includes(id))) return { origins: [], named, missing };
  const started = await Promise.all(found.map((program) => start(program, folder)));
  return { origins: [await nodeOrigin(), ...started], named, missing };
}
