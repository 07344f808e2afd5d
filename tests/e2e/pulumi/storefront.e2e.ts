/** `pulumi up` of the storefront with the runtime's image, and requests through the address that its gateway gets. */
import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import type { RawObject } from '../../../gateway-runtime/api/object.ts';
import { DEFAULT_REFERENCE } from '../../../scripts/image/runtime-image.ts';
import { eventually } from '../../cluster/command.ts';
import { RAN_ON } from '../../pulumi/programs.ts';
import type { Stack } from '../../pulumi/stack.ts';
import { authority } from '../../support/certificates.ts';
import { hasGatewayApi, uninstallGatewayApi } from '../gateway-api-crds.ts';
import { KubeApi } from '../kube-api.ts';
import { ask } from '../runtime/edge.ts';
import { PATIENCE } from '../waiting.ts';
import { pairFor, setCertificates, storefrontStack } from './storefront-stack.ts';

/** The names of the storefront may be taken in a cluster that is not ours. */
const describeAlone = process.env.GATEWRIGHT_E2E_OWN_CLUSTER ? describe : describe.skip;

const gateway = (name: string): RawObject => ({
  apiVersion: 'gateway.networking.k8s.io/v1',
  kind: 'Gateway',
  metadata: { namespace: 'infra', name },
});

let api: KubeApi;
let stack: Stack;
let hadGatewayApi: boolean;

/** From the moment that `up` has ended there is no 404; only the pods of the teams may still be on their way. */
async function served(name: string, host: string, path: string, ca?: string): Promise<{ namespace: string }> {
  const { status } = await api.get<{ status: { addresses: { value: string }[] } }>(
    await api.pathOf(gateway(name)),
  );
  const address = status.addresses[0]!.value;
  const seen: number[] = [];
  return eventually(PATIENCE, async () => {
    const answer = await ask({ address, host, path, ...(ca && { ca }) });
    seen.push(answer.status);
    expect(seen).not.toContain(404);
    expect(answer.status).toBe(200);
    return JSON.parse(answer.body) as { namespace: string };
  });
}

describeAlone(`pulumi up of the storefront, with its runtime (${RAN_ON})`, () => {
  beforeAll(async () => {
    api = await KubeApi.connect();
    hadGatewayApi = await hasGatewayApi(api);
    stack = await storefrontStack(DEFAULT_REFERENCE);
    await setCertificates(stack, {
      'infra/wildcard': pairFor('wildcard', ['*.example.com']),
      'infra/data-certificate': pairFor('data', ['data.example.com']),
    });
  });

  afterAll(async () => {
    await stack?.run(['destroy', '--yes', '--skip-preview']);
    stack?.remove();
    if (!hadGatewayApi) await uninstallGatewayApi(api);
    api.close();
  });

  it('ends once every route is live', async () => {
    const { status, text } = await stack.run(['up', '--yes', '--skip-preview']);
    expect(text).not.toMatch(/^ +error: /m);
    expect(status).toBe(0);
  });

  it.each([
    ['shared-gw', 'shop.example.com', '/cart', 'shop'],
    ['shared-gw', 'media.example.com', '/', 'media'],
    ['shared-gw', 'lobby.example.com', '/', 'media'],
    ['dedicated-gw', 'data.example.com', '/v1/tables', 'data'],
  ])('and %s serves http://%s%s to team %s', async (name, host, path, namespace) => {
    expect(await served(name, host, path)).toMatchObject({ namespace });
  });

  it('and over TLS with the certificate of the configuration', async () => {
    expect(await served('shared-gw', 'shop.example.com', '/cart', authority)).toMatchObject({
      namespace: 'shop',
    });
  });

  it('and previews no change after', async () => {
    expect(await stack.run(['preview', '--diff', '--expect-no-changes'])).toMatchObject({ status: 0 });
  });
});
