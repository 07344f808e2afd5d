/** As much of a client of the API server as the machine itself needs. */
import { readFileSync } from 'node:fs';
import { Agent, request } from 'node:https';
import { join } from 'node:path';
import { API_PORT } from './settings.ts';

export interface ApiObject {
  readonly metadata: { readonly name: string; readonly namespace?: string; readonly uid: string };
}

export interface ObjectList<T> {
  readonly metadata: { readonly resourceVersion: string };
  readonly items: readonly T[];
}

export interface WatchEvent<T> {
  readonly type: 'ADDED' | 'MODIFIED' | 'DELETED' | 'BOOKMARK' | 'ERROR';
  readonly object: T;
}

export class ApiClient {
  readonly #agent: Agent;

  /** The administrator of the API server in this network namespace. */
  constructor(certificates: string) {
    const file = (name: string) => readFileSync(join(certificates, name));
    this.#agent = new Agent({
      keepAlive: true,
      ca: file('ca.crt'),
      cert: file('admin.crt'),
      key: file('admin.key'),
    });
  }

  async get<T>(path: string): Promise<T> {
    return JSON.parse(await this.#call('GET', path)) as T;
  }

  async patch(path: string, body: unknown): Promise<void> {
    await this.#call('PATCH', path, JSON.stringify(body));
  }

  /** Settles once the API server takes requests; rejects where it does not yet. */
  async ready(): Promise<void> {
    await this.#call('GET', '/readyz');
  }

  /** Calls back for each event, until the API server ends the watch; rejects where the connection breaks. */
  async watch<T>(path: string, onEvent: (event: WatchEvent<T>) => void): Promise<void> {
    let rest = '';
    await this.#call('GET', path, undefined, (text) => {
      const lines = (rest + text).split('\n');
      rest = lines.pop()!;
      for (const line of lines) onEvent(JSON.parse(line) as WatchEvent<T>);
    });
  }

  #call(method: string, path: string, body?: string, onText?: (text: string) => void): Promise<string> {
    const { promise, resolve, reject } = Promise.withResolvers<string>();
    const headers = body ? { 'content-type': 'application/merge-patch+json' } : {};
    const target = { host: '127.0.0.1', port: API_PORT, path, method, headers, agent: this.#agent };
    const call = request(target, (answer) => {
      const succeeded = answer.statusCode! < 300;
      let all = '';
      answer.setEncoding('utf8');
      answer.on('data', (text: string) => {
        if (succeeded && onText) onText(text);
        else all += text;
      });
      answer.on('error', reject);
      answer.on('end', () =>
        succeeded
          ? resolve(all)
          : reject(new Error(`${method} ${path} was answered ${answer.statusCode}: ${all}`)),
      );
    });
    call.on('error', reject);
    call.end(body);
    return promise;
  }
}
