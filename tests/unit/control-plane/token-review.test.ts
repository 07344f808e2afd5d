import { describe, expect, it } from '@jest/globals';
import { TokenReviews } from '../../../gateway-runtime/control-plane/token-review.ts';
import { TOKEN_AUDIENCE } from '../../../gateway-runtime/distribution/messages.ts';

const AUTHENTICATED = {
  authenticated: true,
  audiences: [TOKEN_AUDIENCE],
  user: {
    username: 'system:serviceaccount:shop:edge-gatewright',
    extra: { 'authentication.kubernetes.io/pod-name': ['edge-1'] },
  },
};

/** An API server that answers every review with what is in `status`. */
function reviews(status: object | Error) {
  const asked: { readonly spec: { readonly token: string; readonly audiences: readonly string[] } }[] = [];
  const answers = { status, now: 0 };
  const verifier = new TokenReviews({
    client: {
      call: async (_: string, __: string, { body }: { body?: unknown } = {}) => {
        asked.push(body as (typeof asked)[number]);
        if (answers.status instanceof Error) throw answers.status;
        return { status: answers.status } as never;
      },
    },
    age: 5_000,
    now: () => answers.now,
  });
  return { asked, answers, verify: (token: string) => verifier.verify(token) };
}

describe('a token', () => {
  it('is its service account, and the pod that it is bound to', async () => {
    const { verify, asked } = reviews(AUTHENTICATED);
    expect(await verify('t')).toEqual({
      namespace: 'shop',
      serviceAccount: 'edge-gatewright',
      pod: 'edge-1',
    });
    expect(asked).toMatchObject([{ spec: { token: 't', audiences: [TOKEN_AUDIENCE] } }]);
  });

  it('of no pod has none', async () => {
    const { username } = AUTHENTICATED.user;
    const { verify } = reviews({ ...AUTHENTICATED, user: { username } });
    expect(await verify('t')).toEqual({ namespace: 'shop', serviceAccount: 'edge-gatewright' });
  });

  it.each([
    ['not authenticated', { ...AUTHENTICATED, authenticated: false }],
    ['for another audience', { ...AUTHENTICATED, audiences: ['https://kubernetes.default.svc'] }],
    ['of an API server that knows no audiences', { ...AUTHENTICATED, audiences: undefined }],
    ['of a person', { ...AUTHENTICATED, user: { username: 'admin' } }],
    ['of a node', { ...AUTHENTICATED, user: { username: 'system:node:one' } }],
    [
      'of a name that is more than one',
      { ...AUTHENTICATED, user: { username: 'system:serviceaccount:a:b:c' } },
    ],
    ['without a name', { ...AUTHENTICATED, user: { username: 'system:serviceaccount:a:' } }],
    ['without a user', { ...AUTHENTICATED, user: undefined }],
  ])('%s is nobody', async (_, status) => {
    expect(await reviews(status).verify('t')).toBeUndefined();
  });
});

describe('an answer', () => {
  it('is used again for a while, also while it is still awaited', async () => {
    const { verify, asked, answers } = reviews(AUTHENTICATED);
    await Promise.all([verify('t'), verify('t')]);
    answers.now = 4_999;
    await verify('t');
    expect(asked).toHaveLength(1);
    await verify('u');
    expect(asked).toHaveLength(2);
  });

  it('does not outlive a token that was revoked by more than that', async () => {
    const { verify, answers } = reviews(AUTHENTICATED);
    await verify('t');
    answers.status = { authenticated: false };
    answers.now = 5_000;
    expect(await verify('t')).toBeUndefined();
  });

  it('that could not be had is asked for again', async () => {
    const { verify, answers } = reviews(new Error('no answer in time'));
    await expect(verify('t')).rejects.toThrow('no answer in time');
    answers.status = AUTHENTICATED;
    expect(await verify('t')).toMatchObject({ serviceAccount: 'edge-gatewright' });
  });

  it('is kept for a bounded number of tokens', async () => {
    const { verify, asked } = reviews(AUTHENTICATED);
    for (let index = 0; index <= 1_000; index++) await verify(`t-${index}`);
    await verify('t-1000');
    expect(asked).toHaveLength(1_001);
    await verify('t-0');
    expect(asked).toHaveLength(1_002);
  });
});
