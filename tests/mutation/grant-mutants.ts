/** Bugs of what holds teams to their Grants. */
import type { Mutant } from './mutants.ts';

const CONSENTS = ['tests/unit/translate/grant-statuses.test.ts'];
const BOUNDS = ['tests/unit/translate/team-bounds.test.ts'];

export const GRANT_MUTANTS: readonly Mutant[] = [
  {
    about: 'A path lies below another that it only begins like.',
    file: 'grants/paths.ts',
    // biome-ignore lint/suspicious/noTemplateCurlyInString: the text of a template
    find: "limit === '/' || path === limit || path.startsWith(`${limit}/`);",
    replace: 'path.startsWith(limit);',
  },
  {
    about: 'A path in another spelling is another path.',
    file: 'grants/paths.ts',
    find: "return typeof result === 'string' ? result : value;",
    replace: 'return value;',
  },
  {
    about: 'A more specific hostname takes a delegated path back.',
    file: 'grants/paths.ts',
    find: "return path.type === 'PathPrefix' ? takenBack(asked, hostnames, given) : undefined;",
    replace: 'return undefined;',
  },
  {
    about: 'Grants of one kind of routes let in the others.',
    file: 'grants/holding.ts',
    find: `    ({ kinds, listeners }) =>
      (kinds as readonly string[]).includes(routeKind) &&
      (`,
    replace: `    ({ listeners }) =>
      (`,
  },
  {
    about: 'A grant at one listener is one at all of the object.',
    file: 'grants/holding.ts',
    find: 'name === listener.name && sectionNames.includes(listener.sectionName)',
    replace: 'name === listener.name && sectionNames.length > 0',
  },
  {
    about:
      'A team brings a listener for a hostname within its own that the platform granted to another team.',
    file: 'grants/holding.ts',
    find: 'covering.length === 0 || !nearest?.includes(namespace)',
    replace: 'covering.length === 0',
  },
  {
    about: 'A listener that may not be brought still takes its place.',
    file: 'translate/merge.ts',
    find: 'if (listener.notTaken || conflicts.has(listener) || !isServedProtocol(listener.protocol)) continue;',
    replace: 'if (conflicts.has(listener) || !isServedProtocol(listener.protocol)) continue;',
  },
  {
    about: 'Where listeners ask for Grants and there is none, everybody is let in.',
    file: 'translate/attachment.ts',
    find: 'return grants.length > 0 ? [{ ...listener, grants }] : [];',
    replace: 'return grants.length > 0 ? [{ ...listener, grants }] : [listener];',
  },
  {
    about: 'Grants of another Gateway in the namespace count.',
    file: 'translate/objects.ts',
    find: "return this.#indexes.get('granted-to', gateway.namespace, gateway.name, namespace) ?? [];",
    replace:
      "return (this.#indexes.get('granted-to', gateway.namespace, gateway.name, namespace) ?? []).concat(this.#indexes.get('granted-to', gateway.namespace, 'other', namespace) ?? []);",
  },
  {
    about: 'A rule that is not granted at a hostname is served there with the others of its route.',
    file: 'translate/route-rules.ts',
    find: '!leftOut.get(each)?.has(rule)',
    replace: 'true || rule < 0',
  },
  {
    about: 'A Grant lists what ReferenceGrants let other namespaces refer to.',
    file: 'grants/consents.ts',
    find: 'each.group === GATEWAY_GROUP && each.namespace === namespace',
    replace: 'each.group === GATEWAY_GROUP',
    tests: CONSENTS,
  },
  {
    about: 'A ReferenceGrant for one name is listed as one for all of them.',
    file: 'grants/consents.ts',
    find: 'target === undefined\n',
    replace: 'every\n',
    tests: CONSENTS,
  },
  {
    about: 'A listener that asks for no Grant is no place where routes of a team may be.',
    file: 'translate/policies/team-bounds.ts',
    find: 'if (takes(listener, route, objects)) add(gateway, home, name, protocol);',
    replace: '',
    tests: BOUNDS,
  },
  {
    about: 'A bound that only some places have is one of the team.',
    file: 'grants/bounds.ts',
    find: 'found.length > 0 && found.length === all.length',
    replace: 'found.length > 0',
    tests: BOUNDS,
  },
  {
    about: 'Of the bounds of several places the strictest is listed.',
    file: 'grants/bounds.ts',
    find: 'sizeOf(each) > sizeOf(best)',
    replace: 'sizeOf(each) < sizeOf(best)',
    tests: BOUNDS,
  },
];
