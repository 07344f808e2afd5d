/** What the platform promises, whatever the teams do. */
import { expect, test } from '@jest/globals';
import { synthesize } from 'gatewright';
import app from './platform.ts';

test('no team may write gateways or grants', () => {
  const roles = synthesize(app).objects.filter(({ object }) => object.kind === 'Role');
  const rules = roles.flatMap(({ object }) => object.rules as { resources: string[]; verbs: string[] }[]);
  const written = rules.filter(({ verbs }) => verbs.includes('create')).flatMap(({ resources }) => resources);
  expect(written).toContain('httproutes');
  for (const resource of ['gateways', 'grants']) expect(written).not.toContain(resource);
});

test('nothing is refused, and nothing is warned of', () => {
  expect(synthesize(app).warnings).toEqual([]);
});
