/** Roles and central policies in a whole cluster: what platform and teams were granted, with requests of all of them on their way. */
import { afterAll, beforeAll, expect, it } from '@jest/globals';
import { eventually } from '../../cluster/command.ts';
import { ANSWERS, WITNESSES } from '../../roles/tenant-objects.ts';
import { PATIENCE } from '../waiting.ts';
import { catalogueTests } from './catalogue.ts';
import { commandTests } from './commands.ts';
import { policyTests } from './policies.ts';
import { TenantCluster } from './tenant-cluster.ts';

let cluster: TenantCluster;

beforeAll(async () => {
  cluster = await TenantCluster.open();
}, 5 * PATIENCE);
afterAll(() => cluster?.close(), 4 * PATIENCE);

it('serves every team what it was granted', async () => {
  await eventually(PATIENCE, async () => expect(await cluster.answers(WITNESSES)).toMatchObject(ANSWERS));
});

commandTests();
policyTests(() => cluster);
catalogueTests(() => cluster);
