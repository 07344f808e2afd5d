import { describe, expect, it } from '@jest/globals';
import { ApiError } from '../../../gateway-runtime/control/cluster/client.ts';
import { authoritySecret } from '../../../gateway-runtime/control-plane/authority-secret.ts';

interface Call {
  readonly method: string;
  readonly path: string;
  readonly body?: { readonly metadata: object; readonly data: Readonly<Record<string, string>> };
}

/** An API server that gives one answer to everything. */
function secret(answer: unknown) {
  const calls: Call[] = [];
  const store = authoritySecret(
    {
      call: async (method: string, path: string, { body }: { body?: unknown } = {}) => {
        calls.push({ method, path, ...(body ? { body: body as Call['body'] & object } : {}) });
        if (answer instanceof Error) throw answer;
        return answer as never;
      },
    },
    'infra',
  );
  return { calls, store };
}

const base64 = (text: string) => Buffer.from(text).toString('base64');
const conflict = new ApiError(409, 'Conflict', 'somebody was faster');

describe('the Secret of the authority', () => {
  it('is read with its version', async () => {
    const { store, calls } = secret({
      metadata: { resourceVersion: '7' },
      data: { 'authority.json': base64('{}') },
    });
    expect(await store.load()).toEqual({ content: '{}', revision: '7' });
    expect(calls).toEqual([{ method: 'GET', path: '/api/v1/namespaces/infra/secrets/gatewright-authority' }]);
  });

  it('may be absent, and may not be read or be empty without a word', async () => {
    expect(await secret(new ApiError(404, 'NotFound', 'not found')).store.load()).toBeUndefined();
    await expect(secret(new ApiError(403, 'Forbidden', 'not allowed')).store.load()).rejects.toThrow(
      'not allowed',
    );
    await expect(secret({ metadata: { resourceVersion: '7' } }).store.load()).rejects.toThrow(
      'the Secret infra/gatewright-authority has no authority.json; delete it to have a new authority made',
    );
  });

  it('is made where there was none, and replaced only over what was read', async () => {
    const { store, calls } = secret({});
    expect(await store.save('{}', undefined)).toBe(true);
    expect(await store.save('{}', '7')).toBe(true);
    expect(calls.map(({ method, path }) => [method, path])).toEqual([
      ['POST', '/api/v1/namespaces/infra/secrets'],
      ['PUT', '/api/v1/namespaces/infra/secrets/gatewright-authority'],
    ]);
    expect(calls[0]!.body!.metadata).not.toHaveProperty('resourceVersion');
    expect(calls[1]!.body).toMatchObject({
      metadata: { resourceVersion: '7' },
      data: { 'authority.json': base64('{}') },
    });
  });

  it('is not replaced where somebody was faster', async () => {
    expect(await secret(conflict).store.save('{}', '7')).toBe(false);
    await expect(secret(new ApiError(500, '', 'broken')).store.save('{}', '7')).rejects.toThrow('broken');
  });
});
