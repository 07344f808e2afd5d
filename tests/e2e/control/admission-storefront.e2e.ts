/** The routes of the storefront are taken by a real API server under the credentials of its teams. */
import { afterAll, beforeAll, expect, it } from '@jest/globals';
import storefront from '../../../examples/storefront/app.ts';
import type { RawObject } from '../../../gateway-runtime/api/object.ts';
import { httpRoute, listenersOf } from '../../roles/violations/violation.ts';
import { ApiServer } from './api-server.ts';
import type { People } from './impersonation.ts';
import { install, prepare } from './platform.ts';

let server: ApiServer;
let people: People;

beforeAll(async () => {
  server = await ApiServer.start();
  people = await prepare(server);
});

afterAll(async () => {
  people?.close();
  await server?.stop();
});

const namespaceOf = ({ metadata }: RawObject) => (metadata as { namespace: string }).namespace;

it('all of them, again', async () => {
  const objects = await install(people, storefront, {
    refused: httpRoute({ hostnames: ['media.example.com'] }),
    taken: httpRoute({ parentRefs: [listenersOf('shop')] }),
  });
  const routes = objects.filter(
    (each) => String(each.kind).endsWith('Route') && ['shop', 'media', 'data'].includes(namespaceOf(each)),
  );
  expect(routes.length).toBeGreaterThan(5);
  for (const route of routes) {
    const developer = {
      user: 'somebody',
      groups: [`${namespaceOf(route)}-developers`, 'system:authenticated'],
    };
    await people.remove(route);
    expect(await people.apply(developer, route)).toMatchObject({ status: 201, message: '' });
  }
});
