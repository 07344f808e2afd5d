/** What becomes of a request, by the share of such requests: the part of an explanation that a test holds it to. */
import type { ExplainedReply, Explanation } from '../gateway-runtime/explain/explanation.ts';

export interface Outcome {
  /** Of such requests, above 0 and up to 1. */
  readonly share: number;
  /** `Service shop/cart:8080`; absent where the gateway answers itself. */
  readonly backend?: string;
  /** What the gateway answers; absent where a backend does, and where the connection fails. */
  readonly status?: number;
  /** Where a redirect sends the client. */
  readonly location?: string;
}

/** The shares together are 1. */
export function outcomesOf({ request, status, reply, backends, matches }: Explanation): readonly Outcome[] {
  const serves = matches.some(({ outcome }) => outcome === 'serves');
  if (reply) return [{ share: 1, ...answer(reply) }];
  if (status !== undefined) return [{ share: 1, status }];
  if (!serves) return [{ share: 1 }];
  const total = backends.reduce((sum, { weight }) => sum + weight, 0);
  return backends
    .filter(({ weight }) => weight > 0)
    .map(({ name, weight, unresolved, reply: own }) => ({
      share: weight / total,
      ...(unresolved ? (request.isConnection ? {} : { status: 500 }) : own ? answer(own) : { backend: name }),
    }));
}

const answer = ({ status, location }: ExplainedReply): Omit<Outcome, 'share'> => ({
  status,
  ...(location === undefined ? {} : { location }),
});

export function outcomeInWords({ share, backend, status, location }: Outcome): string {
  return `${what(backend, status, location)}${share < 1 ? ` for ${percent(share)}` : ''}`;
}

function what(backend: string | undefined, status: number | undefined, location: string | undefined): string {
  if (backend !== undefined) return `to ${backend}`;
  if (location !== undefined) return `redirected with ${status} to ${location}`;
  return status === undefined ? 'no connection' : `answered ${status} by the gateway`;
}

/** To a tenth of a percent, as explanations have it. */
export const percent = (share: number): string => `${Math.round(share * 1_000) / 10} %`;
