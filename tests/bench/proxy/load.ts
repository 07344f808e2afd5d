/** Load, from programs that are not measured: wrk for requests, openssl for handshakes. */
import { execFile } from 'node:child_process';
import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { promisify } from 'node:util';
import type { Setting } from './contender.ts';

const run = promisify(execFile);

export const CONNECTIONS = 64;

export interface Requests {
  readonly method?: 'GET' | 'POST';
  /** Octets. */
  readonly body?: number;
  /** Behind the prefix of the route. */
  readonly path?: string;
  readonly tls?: boolean;
  /** A connection for each. */
  readonly close?: boolean;
  readonly connections?: number;
}

/** Answers that came within so many seconds. Throws where one was an error. */
export async function requests(setting: Setting, seconds: number, wanted: Requests = {}): Promise<number> {
  const { method = 'GET', body = 0, path = '/items?page=2', tls, close, connections = CONNECTIONS } = wanted;
  const script = join(setting.folder, `load-${method}-${body}-${Boolean(close)}.lua`);
  writeFileSync(
    script,
    `local n = 0
local body = ${body > 0 ? `string.rep("x", ${body})` : 'nil'}
request = function()
  n = (n + 7) % ${setting.routes}
  return wrk.format("${method}", "/api/v" .. n .. "${path}", { ["Host"] = "h" .. n .. ".example.com", ["User-Agent"] = "bench/1.0 (measuring)", ["Accept"] = "text/html,application/json;q=0.9,*/*;q=0.8", ["Accept-Encoding"] = "gzip, deflate, br", ["Accept-Language"] = "en-GB,en;q=0.7", ["Cookie"] = "session=0123456789abcdef0123456789abcdef"${close ? ', ["Connection"] = "close"' : ''} }, body)
end
`,
  );
  const place = tls ? `https://127.0.0.1:${setting.ports.tls}` : `http://127.0.0.1:${setting.ports.plain}`;
  const { stdout } = await run('wrk', ['-t1', `-c${connections}`, `-d${seconds}s`, '-s', script, place]);
  const errors = /Non-2xx.*|Socket errors.*/.exec(stdout)?.[0];
  // wrk counts an end of the connection that it asked for as an error of reading.
  if (errors && !(close && /connect 0, read \d+, write 0, timeout 0/.test(errors))) throw new Error(errors);
  return Number(/(\d+) requests in/.exec(stdout)![1]);
}

/** Full TLS handshakes within so many seconds, from four clients. */
export async function handshakes(setting: Setting, seconds: number): Promise<number> {
  const args = ['s_time', '-connect', `127.0.0.1:${setting.ports.tls}`, '-new', '-time', String(seconds)];
  const counts = await Promise.all(
    Array.from({ length: 4 }, async () => {
      const { stdout } = await run('openssl', args);
      return Number(/(\d+) connections in \d+ real seconds/.exec(stdout)![1]);
    }),
  );
  return counts.reduce((sum, each) => sum + each, 0);
}
