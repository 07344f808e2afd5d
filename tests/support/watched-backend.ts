/** A backend that tells which requests it got whole. */
import type { IncomingMessage } from 'node:http';
import { Backend } from './backend.ts';

export interface WatchedBackend extends Pick<Backend, 'endpoint' | 'close'> {
  readonly backend: Backend;
  /** Bodies of the requests that were complete, and of those that were not. */
  readonly whole: readonly string[];
  readonly broken: readonly string[];
  /** Those of which it has the head. */
  readonly begun: readonly IncomingMessage[];
}

/** Answers `whole` to a whole request, or `begun`, and no more, to any with `answersAtOnce`. */
export async function watchedBackend(answersAtOnce = false): Promise<WatchedBackend> {
  const whole: string[] = [];
  const broken: string[] = [];
  const begun: IncomingMessage[] = [];
  const backend = await Backend.http((message, response) => {
    begun.push(message);
    let body = '';
    message.on('data', (octets: Buffer) => {
      body += octets;
    });
    message.on('error', () => {});
    message.on('close', () => (message.complete ? whole : broken).push(body));
    if (answersAtOnce) response.write('begun');
    else message.on('end', () => response.end('whole'));
  });
  return { backend, endpoint: backend.endpoint, close: () => backend.close(), whole, broken, begun };
}
