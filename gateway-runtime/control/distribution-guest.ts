/** A connection from its handshake on: a stranger until it has said which Gateway it serves and proved it, then whoever it is. */
import type { TLSSocket } from 'node:tls';
import { Connection } from '../distribution/connection.ts';
import { InvalidContentError } from '../distribution/exactly.ts';
import type { DistributionLimits } from '../distribution/limits.ts';
import {
  checkedDataPlaneMessage,
  type DataPlaneMessage,
  type Hello,
  TOKEN_AUDIENCE,
} from '../distribution/messages.ts';
import { type GatewayId, gatewayKey } from '../snapshot/snapshot.ts';
import type { Stranger } from './distribution-strangers.ts';

/** Whose a token is. */
export interface TokenOwner {
  readonly namespace: string;
  readonly serviceAccount: string;
  /** Name of the pod that the token is bound to, where it is. */
  readonly pod?: string;
}

export interface Door {
  /**
   * Asks whether a token is valid now for TOKEN_AUDIENCE, and whose it is; undefined where it is not valid. Rejects where that
   * can't be found out.
   */
  readonly verify: (token: string) => Promise<TokenOwner | undefined>;
  /** The service account of a Gateway's data planes, in the Gateway's own namespace; empty where there is no such Gateway. */
  readonly accountOf: (gateway: GatewayId) => string;
  /** Keys for sessions, as in AgentUpdate, which only data planes of the Gateway are given. Default: none. */
  readonly sessionKeys?: ((gateway: GatewayId) => readonly string[]) | undefined;
}

export interface GuestOptions extends Door {
  readonly socket: TLSSocket;
  readonly limits: DistributionLimits;
  readonly stranger: Stranger;
  /** It is who it says. What it says from now on goes to the function that this gives. */
  readonly onAdmitted: (hello: Hello, connection: Connection) => (message: DataPlaneMessage) => void;
  readonly onRefused: (why: string) => void;
  readonly onClose: (why: string) => void;
}

export class Guest {
  readonly connection: Connection;
  readonly #options: GuestOptions;
  readonly #patience: NodeJS.Timeout;
  #hasSaidHello = false;
  #receive: ((message: DataPlaneMessage) => void) | undefined;

  constructor(options: GuestOptions) {
    this.#options = options;
    const { socket, limits, onClose } = options;
    this.connection = new Connection({
      socket,
      limit: limits.helloFrame,
      limits,
      onMessage: (value) => this.#onMessage(checkedDataPlaneMessage(value)),
      onClose: (why) => {
        clearTimeout(this.#patience);
        onClose(why);
      },
    });
    this.#patience = setTimeout(() => {
      this.connection.end(
        'protocol',
        `found no hello that could be answered within ${limits.hello / 1000} s`,
      );
    }, limits.hello);
  }

  #onMessage(message: DataPlaneMessage): void {
    if (message.type === 'goodbye') this.connection.destroy(message.message);
    else if (this.#receive) this.#receive(message);
    else if (message.type === 'hello' && !this.#hasSaidHello) {
      this.#hasSaidHello = true;
      this.#options.stranger.saidHello();
      this.#meet(message).catch((error: Error) => {
        this.connection.destroy(`it can't be served: ${error.message}`);
      });
    } else if (message.type !== 'beat') {
      throw new InvalidContentError(`${message.type}: expected hello, once`);
    }
  }

  async #meet(hello: Hello): Promise<void> {
    const { verify, limits, sessionKeys, stranger, onAdmitted, onRefused } = this.#options;
    let refusal: string | undefined;
    try {
      const owner = await verify(hello.token);
      refusal = owner ? this.#refusal(hello, owner) : `found a token that is not valid for ${TOKEN_AUDIENCE}`;
    } catch (error) {
      onRefused(`the token of a data plane can't be checked: ${(error as Error).message}`);
      this.connection.end('busy', "the token can't be checked now");
      return;
    }
    if (!this.connection.isOpen) return;
    clearTimeout(this.#patience);
    if (refusal !== undefined) {
      onRefused(refusal);
      this.connection.end('refused', refusal);
      return;
    }
    stranger.known();
    this.connection.limit = limits.dataPlaneFrame;
    const keys = sessionKeys?.(hello.gateway);
    this.connection.send({ type: 'welcome', ...(keys?.length ? { sessionKeys: keys } : {}) });
    this.#receive = onAdmitted(hello, this.connection);
  }

  #refusal({ gateway, replica }: Hello, owner: TokenOwner): string | undefined {
    const expected = this.#options.accountOf(gateway);
    if (!expected) return `there is no Gateway ${gatewayKey(gateway)} to serve, or there is not any more`;
    if (owner.namespace !== gateway.namespace || owner.serviceAccount !== expected) {
      return (
        `found a token of the service account ${owner.namespace}/${owner.serviceAccount}, expected one of ` +
        `${gateway.namespace}/${expected}, which is that of the Gateway ${gatewayKey(gateway)}`
      );
    }
    if (owner.pod !== undefined && owner.pod !== replica) {
      return `found a token of the pod ${owner.pod}, expected one of ${replica}, which it says it is`;
    }
    return undefined;
  }
}
