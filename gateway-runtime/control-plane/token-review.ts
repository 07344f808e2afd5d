/**
 * Whose a service account token is, by the word of the API server (TokenReview). An answer is used again for a few seconds, so that
 * many data planes that dial at once do not become as many requests; a token that was revoked is refused after that time.
 */
import { createHash } from 'node:crypto';
import type { ApiClient } from '../control/cluster/client.ts';
import type { TokenOwner } from '../control/distribution-guest.ts';
import { TOKEN_AUDIENCE } from '../distribution/messages.ts';

export interface TokenReviewsOptions {
  readonly client: Pick<ApiClient, 'call'>;
  /** Milliseconds for which an answer holds. Default: 5 s. */
  readonly age?: number;
  /** Milliseconds of a clock that only goes forward. Default: performance.now. */
  readonly now?: () => number;
}

interface TokenReview {
  readonly status?: {
    readonly authenticated?: boolean;
    readonly audiences?: readonly string[];
    readonly error?: string;
    readonly user?: {
      readonly username?: string;
      readonly extra?: Readonly<Record<string, readonly string[]>>;
    };
  };
}

interface Known {
  readonly owner: Promise<TokenOwner | undefined>;
  readonly until: number;
}

const PATH = '/apis/authentication.k8s.io/v1/tokenreviews';
const POD_NAME = 'authentication.kubernetes.io/pod-name';
const AGE = 5_000;
const TIMEOUT = 5_000;
/** Answers that are kept; beyond them the oldest goes. */
const MOST = 1_000;

export class TokenReviews {
  readonly #client: Pick<ApiClient, 'call'>;
  readonly #age: number;
  readonly #now: () => number;
  /** By hash, so that no token stays in memory; in the order in which they were asked. */
  readonly #known = new Map<string, Known>();

  constructor({ client, age = AGE, now = () => performance.now() }: TokenReviewsOptions) {
    this.#client = client;
    this.#age = age;
    this.#now = now;
  }

  /** As `Door.verify`: undefined where the token is not valid for TOKEN_AUDIENCE, or not a service account's. */
  verify(token: string): Promise<TokenOwner | undefined> {
    const hash = createHash('sha256').update(token).digest('base64');
    const now = this.#now();
    const known = this.#known.get(hash);
    if (known && now < known.until) return known.owner;
    const owner = this.#review(token);
    this.#known.delete(hash);
    this.#known.set(hash, { owner, until: now + this.#age });
    for (const [each, { until }] of this.#known) {
      if (this.#known.size <= MOST && now < until) break;
      this.#known.delete(each);
    }
    // What could not be found out is asked again.
    owner.catch(() => {
      if (this.#known.get(hash)?.owner === owner) this.#known.delete(hash);
    });
    return owner;
  }

  async #review(token: string): Promise<TokenOwner | undefined> {
    const { status = {} } = await this.#client.call<TokenReview>('POST', PATH, {
      body: {
        apiVersion: 'authentication.k8s.io/v1',
        kind: 'TokenReview',
        spec: { token, audiences: [TOKEN_AUDIENCE] },
      },
      timeout: TIMEOUT,
    });
    // "A client of the TokenReview API that sets the spec.audiences field should validate that a compatible audience
    // identifier is returned in the status.audiences field to ensure that the TokenReview server is audience aware."
    if (!status.authenticated || !status.audiences?.includes(TOKEN_AUDIENCE)) return undefined;
    const [system, kind, namespace, serviceAccount, ...rest] = (status.user?.username ?? '').split(':');
    if (system !== 'system' || kind !== 'serviceaccount' || !namespace || !serviceAccount || rest.length > 0)
      return undefined;
    const pod = status.user?.extra?.[POD_NAME]?.[0];
    return { namespace, serviceAccount, ...(pod ? { pod } : {}) };
  }
}
