/** What admission says of the paths of HTTPRoutes. */
import { covers, given, isBelow, type Named, type Test, text } from './admission-terms.ts';

/** The first of several entries that stand for the same, so that many sections of one grant cost what one does. */
const distinct = (list: string, most: number) => {
  const numbers = `[${Array.from({ length: most }, (_, index) => index).join(', ')}]`;
  return `${numbers}.filter(i, i < ${list}.size() && !${numbers}.exists(j, j < i && ${list}[j] == ${list}[i])).map(i, ${list}[i])`;
};

/** Escapes of what has to be escaped, in capitals: others are another spelling of a path, which can't be compared. */
const ESCAPES = '%(?:0[1-9A-F]|1[0-9A-F]|2[0-9A-CF]|3[A-F]|40|5[BDE]|60|7[BCDF]|[89A-F][0-9A-F])';
const NORMAL = `^(?:[-A-Za-z0-9._~!$&'()*+,;=:@/]|${ESCAPES})*$`;

/** Where rules of a route are below paths that were granted, and not below those that were given on. */
export function pathVariables(opens: Test, isGranted: Test): Named[] {
  const anyOf = (hostname: string, own: string) => `${covers(own, hostname)} || ${covers(hostname, own)}`;
  const literal = `[m.path.value.find('^\\\\^?[A-Za-z0-9_/~-]*')].map(start, [start.startsWith('^') ? start.substring(1) : start].map(plain, m.path.value.size() > start.size() && m.path.value.substring(start.size(), start.size() + 1) in ['?', '*', '{'] && plain.size() > 0 ? plain.substring(0, plain.size() - 1) : plain)[0])[0]`;
  const everything = "[{'path': {'type': 'PathPrefix', 'value': '/'}}]";
  return [
    {
      name: 'limited',
      expression: `object.kind != 'HTTPRoute' ? [] : variables.attached.filter(g, g.delegated.size() > 0 || !('/' in g.paths))`,
    },
    {
      name: 'limits',
      expression: `variables.limited.map(g, {
        'name': dyn([g.name]),
        'paths': dyn(g.paths),
        'given': dyn(g.delegated.filter(d, variables.hostnames.size() == 0 || variables.hostnames.exists(h, h in d.hostnames) || d.hostnames.exists(own, variables.hostnames.exists(h, ${anyOf('h', 'own')}))).map(d, d.path)),
        'back': dyn(g.delegated.filter(d, variables.hostnames.exists(h, !(h in d.hostnames) && d.hostnames.exists(own, ${covers('own', 'h')}))).map(d, d.path))
      })`,
    },
    {
      name: 'paths',
      expression: `${given('variables.spec.rules', '[{}]')}.map(r, (has(r.matches) && r.matches.size() > 0 ? r.matches : ${everything}).map(m, !has(m.path) ? {'type': 'PathPrefix', 'value': '/', 'shown': '/'} : {
        'type': m.path.type,
        'shown': m.path.value,
        'value': m.path.type == 'RegularExpression' ? (m.path.value.contains('|') ? '' : ${literal}) : m.path.type == 'PathPrefix' && m.path.value.size() > 1 && m.path.value.endsWith('/') ? m.path.value.substring(0, m.path.value.size() - 1) : m.path.value
      }))`,
    },
    {
      name: 'free',
      expression: `variables.attached.filter(g, g.delegated.size() == 0 && '/' in g.paths).map(g, g.name)`,
    },
    {
      name: 'at',
      expression: `variables.named.map(p, variables.ofKind.filter(g, ${opens('g', 'p')}).map(g, g.name))`,
    },
    {
      name: 'on',
      expression: `variables.hostnames.size() == 0 ? [variables.attached.map(g, g.name)] : variables.hostnames.map(h, variables.attached.filter(g, ${isGranted('g', 'h')}).map(g, g.name))`,
    },
    // Wherever a hostname is served at a listener, by the names of the grants of which one has to allow each path.
    { name: 'distinctAt', expression: distinct('variables.at', 32) },
    { name: 'distinctOn', expression: distinct('variables.on', 16) },
    {
      name: 'spots',
      expression: `variables.distinctAt.map(here, variables.distinctOn.map(on, here.filter(n, n in on)).filter(both, both.size() > 0 && !both.exists(n, n in variables.free)))`,
    },
    {
      name: 'refused',
      expression: `variables.paths.map(all, all.filter(p, ![variables.limits.filter(g, ${permits('g', 'p')}).map(g, g.name[0])].exists(allowing, variables.spots.all(row, row.all(names, names.exists(n, n in allowing)))))).filter(all, all.size() > 0)`,
    },
  ];
}

const permits = (grant: string, path: string) =>
  `${path}.type == 'RegularExpression'
    ? ${grant}.paths.exists(l, l == '/' || ${path}.value.startsWith(l + '/')) && !${grant}.given.exists(d, ${couldBe(path, 'd')})
    : ${isNormal(path)} && ${grant}.paths.exists(l, ${isBelow(`${path}.value`, 'l')}) && !${grant}.given.exists(d, ${isBelow(`${path}.value`, 'd')}) && !(${path}.type == 'PathPrefix' && ${grant}.back.exists(d, ${isBelow('d', `${path}.value`)}))`;
const couldBe = (path: string, given: string) =>
  `(${isBelow(`${path}.value`, given)} || (${given} + '/').startsWith(${path}.value))`;
const isNormal = (path: string) => `${path}.value.matches(${text(NORMAL)})`;

export function pathMessage(missing: (what: string) => string): string {
  const path = 'variables.refused[0][0]';
  const isExpression = `${path}.type == 'RegularExpression'`;
  // Whose the path is that was given on: of a spelling that can't be compared, any may be meant.
  const isGiven = (given: string) =>
    `(${isExpression} ? ${couldBe(path, given)} : !${isNormal(path)} || ${isBelow(`${path}.value`, given)} || ${isBelow(given, `${path}.value`)})`;
  const isWithin = `variables.limits.exists(g, ${isExpression} ? g.paths.exists(l, l == '/' || ${path}.value.startsWith(l + '/')) : g.paths.exists(l, ${isBelow(`${path}.value`, 'l')}))`;
  const other = `variables.limited.filter(g, g.delegated.exists(d, ${isGiven('d.path')}))[0].delegated.filter(d, ${isGiven('d.path')})[0]`;
  const shown = `(${isExpression} ? 'the expression ' : 'path ') + ${path}.shown`;
  return (
    `'spec.rules: ' + ${shown} + (${isWithin} && variables.limited.exists(g, g.delegated.exists(d, ${isGiven('d.path')})) ` +
    `? ' is or could be below ' + ${other}.path + (${isExpression} || ${isNormal(path)} ? '' : ', in another spelling than its normal one') + '. Missing: nothing: the path was delegated to team ' + ${other}.team + ', and is not that of team ' + params.spec.team + ' any more' ` +
    `: ' is or could be outside of what team ' + params.spec.team + ' was granted. ' + ${missing(`'path ' + (${isExpression} ? '/' : ${path}.shown)`)})`
  );
}
