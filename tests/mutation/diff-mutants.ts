/** Planted bugs of the comparison of configurations: its own cases must notice them. */
import type { Mutant } from './mutants.ts';

export const DIFF_MUTANTS: readonly Mutant[] = [
  {
    about: 'What goes first before a change is taken for moved as well.',
    file: 'diff/rule-changes.ts',
    find: '...goingFirst(before, was, set, expressions), ',
    replace: '',
  },
  {
    about: 'What goes first after a change is taken for moved as well.',
    file: 'diff/rule-changes.ts',
    find: ', ...goingFirst(after, is, set, expressions)',
    replace: '',
  },
  {
    about: 'Requests that no rule takes any more are forgotten.',
    file: 'diff/rule-changes.ts',
    find: 'yield [undefined, all];',
    replace: '',
  },
  {
    about: 'What an unchanged rule takes over is forgotten.',
    file: 'diff/rule-changes.ts',
    find: 'comparePrecedence(found, entry) > 0',
    replace: 'comparePrecedence(found, entry) < 0',
  },
  {
    about: 'A shorter prefix counts as within the longer one.',
    file: 'diff/conjunction.ts',
    find: 'if (isWithin(path.value, value)) return true;',
    replace: 'if (isWithin(value, path.value)) return true;',
  },
  {
    about: 'A prefix takes what goes on in its last path element.',
    file: 'diff/conjunction.ts',
    find: "(path.startsWith(prefix) && path[prefix.length] === '/')",
    replace: 'path.startsWith(prefix)',
  },
  {
    about: 'A match with a method takes every method.',
    file: 'diff/conjunction.ts',
    find: '(match.method === undefined || match.method === set.method) &&\n    takesEveryPath',
    replace: 'takesEveryPath',
  },
  {
    about: 'An expression with alternatives is taken to begin as the first of them does.',
    file: 'diff/expressions.ts',
    find: "if (source.includes('|')) return { text, isAll: false };",
    replace: "if (source.includes('|')) return { text: source.split('|')[0]!, isAll: false };",
  },
  {
    about: 'A less specific hostname counts for nothing where a more specific one has any rule.',
    file: 'diff/compare-gateway.ts',
    find: 'if (bucket?.takesEverything) break;',
    replace: 'if (bucket) break;',
  },
  {
    about: 'Weights are compared as they are written, and not as shares.',
    file: 'diff/outcome.ts',
    find: 'before + weight / total',
    replace: 'before + weight',
  },
  {
    about: 'A share that is answered with an error now is no loss.',
    file: 'diff/region.ts',
    find: 'if (after.errors > before.errors)',
    replace: 'if (after.errors === 1 && before.errors < 1)',
  },
  {
    about: 'Another way to a backend is no change for rules that are as they were.',
    file: 'diff/changed-entries.ts',
    find: '|| this.#sendsToChanged(rule)',
    replace: '',
  },
  {
    about: 'The age of a route decides nothing.',
    file: 'diff/changed-entries.ts',
    find: 'canonicalJson([namespace, name, created, ',
    replace: 'canonicalJson([namespace, name, ',
  },
  {
    about: 'Who changed nothing counts as an author.',
    file: 'diff/region-set.ts',
    find: 'if (entry && this.#edited(entry.rule.source)) teams',
    replace: 'if (entry) teams',
  },
  {
    about: 'Where nothing is served, requests are lost all the same.',
    file: 'diff/region-set.ts',
    find: 'if (!group.isAnswered && served && served.outcome.errors < 1) {',
    replace: 'if (!group.isAnswered) {',
  },
  {
    about: 'Certificates that are asked of clients make no difference.',
    file: 'diff/door.ts',
    find: 'asks(after) !== asks(before)',
    replace: 'false',
  },
  {
    about: 'Rules that ask for no value of the header by which most differ are passed over.',
    file: 'diff/entry-list.ts',
    find: '[byValue.get(value) ?? [], others]',
    replace: '[byValue.get(value) ?? []]',
  },
  {
    about: 'A TLS rule counts as before whatever its shares are.',
    file: 'diff/tls-outcome.ts',
    find: 'shares.map(({ key, share }) => [key, share.toFixed(9)]).sort(),',
    replace: 'shares.map(({ key }) => key).sort(),',
  },
  {
    about: 'Of two TLS rules for one server name the newer one goes first in a comparison.',
    file: 'diff/gateway-side.ts',
    find: 'compareTlsRules(rule, known) < 0',
    replace: 'compareTlsRules(rule, known) > 0',
  },
  {
    about: 'Server names that only one side has routes for are not compared.',
    file: 'diff/compare-tls.ts',
    find: 'for (const side of [before, after]) {',
    replace: 'for (const side of [after]) {',
  },
  {
    about: 'Which certificate is shown where connections are decrypted makes no difference.',
    file: 'diff/tls-outcome.ts',
    find: "isPassedThrough ? 'through' : [[...certificates].sort(), minTlsVersion],",
    replace: "'',",
  },
];
