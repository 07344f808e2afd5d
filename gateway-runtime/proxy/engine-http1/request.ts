/** A request as the matcher and the filters see it, over the head that was read. */
import type { MatchRequest } from '../../match/request.ts';
import type { ForwardedHead } from '../exchange.ts';
import type { RequestTarget } from '../request-target.ts';
import type { Head } from './head.ts';

/** As received. */
export class ReceivedRequest implements MatchRequest {
  readonly method: string;
  readonly host: string;
  readonly path: string;
  readonly query: string;
  readonly #head: Head;

  constructor(head: Head, target: RequestTarget | undefined) {
    this.method = head.method;
    this.host = target ? target.host : '';
    this.path = target ? target.path : '';
    this.query = target ? target.query : '';
    this.#head = head;
  }

  header(name: string): string | undefined {
    return this.#head.received(name);
  }
}

/** As it will be forwarded. `authority` stands for Host, whatever a field says. */
export class ForwardedRequest implements ForwardedHead {
  readonly method: string;
  readonly scheme: string;
  readonly host: string;
  readonly listenerPort: number;
  readonly query: string;
  path: string;
  authority: string;
  readonly #head: Head;

  constructor(head: Head, target: RequestTarget, scheme: string, listenerPort: number) {
    this.method = head.method;
    this.scheme = scheme;
    this.host = target.host;
    this.listenerPort = listenerPort;
    this.path = target.path;
    this.query = target.query;
    this.authority = target.authority;
    this.#head = head;
  }

  get(name: string): string | undefined {
    return this.#head.get(name);
  }

  set(name: string, value: string): void {
    this.#head.set(name, value);
  }

  add(name: string, value: string): void {
    this.#head.add(name, value);
  }

  remove(name: string): void {
    this.#head.remove(name);
  }

  removeIf(initials: string, test: (name: string) => boolean): void {
    this.#head.removeIf(initials, test);
  }
}
