import { afterEach, beforeEach, describe, expect, it } from '@jest/globals';
import { Backend, unusedEndpoint } from '../support/backend.ts';
import { backend, TestGateway, to, toNothing } from '../support/gateway.ts';
import { exact, listener, prefix, rule } from '../unit/match/snapshots.ts';

describe('the answer to a request', () => {
  let whoami: Backend;
  let gateway: TestGateway;

  beforeEach(async () => {
    whoami = await Backend.echo('whoami');
  });
  afterEach(async () => {
    await gateway.agent.close();
    await whoami.close();
  });

  const serve = async (...resources: Parameters<typeof TestGateway.serving>[0]['resources'][number][]) => {
    gateway = await TestGateway.serving({
      resources: [listener('web'), backend('whoami'), ...resources],
      endpoints: { whoami: [whoami.endpoint] },
    });
  };

  it('comes from the backend of the rule that matches', async () => {
    await serve(rule({ matches: [{ path: exact('/foo') }], rest: { backends: [to('whoami')] } }));
    const answer = await gateway.get('shop.example.com/foo?a=1');
    expect(answer).toMatchObject({ status: 200, body: 'whoami\n' });
    expect(whoami.seen).toMatchObject([
      { method: 'GET', url: '/foo?a=1', headers: { host: 'shop.example.com' } },
    ]);
  });

  it('is 404 where no route matches', async () => {
    await serve(rule({ matches: [{ path: prefix('/foo') }], rest: { backends: [to('whoami')] } }));
    expect(await gateway.get('shop.example.com/')).toMatchObject({
      status: 404,
      body: '404: no route of this gateway matches; check host, path, method, headers and query\n',
    });
  });

  it('is 500 where the backend did not resolve', async () => {
    await serve(rule({ rest: { backends: [toNothing()] } }));
    expect(await gateway.get('shop.example.com/')).toMatchObject({ status: 500 });
  });

  it('is 503 where the endpoint refuses connections', async () => {
    await serve(rule({ rest: { backends: [to('whoami')] } }));
    await gateway.serve({
      resources: [...gateway.agent.snapshot!.resources],
      endpoints: { whoami: [await unusedEndpoint()] },
    });
    expect(await gateway.get('shop.example.com/')).toMatchObject({ status: 503 });
  });
});
