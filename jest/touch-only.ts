/** Whose requests an app, or a change of one, has a hand in. */

import { TEAM_LABEL } from '../gateway-runtime/api/names.ts';
import type { RawObject } from '../gateway-runtime/api/object.ts';
import { diff } from '../gateway-runtime/diff/diff.ts';
import type { Region } from '../gateway-runtime/diff/region.ts';
import { reported } from '../gateway-runtime/diff/report.ts';
import { diffText } from '../gateway-runtime/diff/text.ts';
import { wrapped } from '../gateway-runtime/explain/wrapped.ts';
import { re2 } from '../gateway-runtime/regex/re2.ts';
import type { AskedApp } from './asked-app.ts';
import type { Verdict } from './routed.ts';

const WIDTH = 80;
/** Lines of what is of others. */
const MOST_LINES = 60;

/** Requests whose outcome the change alters are all of the team: before and after, of its routes or of none. */
export function changeTouchesOnly(team: string, before: AskedApp, after: AskedApp): Verdict {
  const regions = diff(before.translation.snapshots, after.translation.snapshots, { regex: re2 });
  const others = regions.filter((each) => teamsOf(each).some((name) => name !== team));
  const said = `toTouchOnly(${JSON.stringify(team)}, { since })`;
  return verdictOf(said, `no request of others goes another way than before`, others.length === 0, () =>
    diffText(others.map((each) => reported(each))),
  );
}

const teamsOf = ({ before, after }: Region): string[] =>
  [before.source, after.source].flatMap((source) => (source?.kind.endsWith('Route') ? [source.team] : []));

/** Every object of the app is in a namespace of the team. */
export function appTouchesOnly(team: string, { written }: AskedApp): Verdict {
  const teams = teamsByNamespace(written);
  const others = written.flatMap(({ object, path }) => {
    const { kind, name, namespace } = identityOf(object);
    const own = kind === 'Namespace' ? name : namespace;
    const owner = teams.get(own) ?? own;
    if (owner === team) return [];
    const whose = owner ? `of ${owner}` : 'of the whole cluster';
    return [`${kind} ${namespace ? `${namespace}/` : ''}${name}, ${whose}${path ? ` (${path})` : ''}`];
  });
  const said = `toTouchOnly(${JSON.stringify(team)})`;
  return verdictOf(said, `all objects of the app are of team ${team}`, others.length === 0, () =>
    others.flatMap((each) => wrapped(each, WIDTH - 2)),
  );
}

/** As the label of the namespace says; as those of its routes do where the namespace is made elsewhere. */
function teamsByNamespace(written: AskedApp['written']): ReadonlyMap<string, string> {
  const teams = new Map<string, string>();
  const identities = written.map(({ object }) => identityOf(object));
  for (const { kind, namespace, labels } of identities) {
    const label = labels?.[TEAM_LABEL];
    if (kind.endsWith('Route') && label !== undefined) teams.set(namespace, label);
  }
  for (const { kind, name, labels } of identities) {
    const label = labels?.[TEAM_LABEL];
    if (kind === 'Namespace' && label !== undefined) teams.set(name, label);
  }
  return teams;
}

interface Identity {
  readonly kind: string;
  readonly name: string;
  readonly namespace: string;
  readonly labels: Readonly<Record<string, string>> | undefined;
}

function identityOf({ kind, metadata }: RawObject): Identity {
  const { name = '', namespace = '', labels } = (metadata ?? {}) as Partial<Identity>;
  return { kind: String(kind), name, namespace, labels };
}

function verdictOf(said: string, expected: string, pass: boolean, others: () => readonly string[]): Verdict {
  return {
    pass,
    message: () => {
      if (pass) return `expect(app).not.${said}\n\nExpected: not that ${expected}\nReceived: that they are`;
      const lines = others();
      const rest = lines.length - MOST_LINES;
      const shown = lines.slice(0, MOST_LINES).map((line) => `  ${line}`.trimEnd());
      if (rest > 0) shown.push(`  and ${rest} lines more`);
      return [`expect(app).${said}`, '', `Expected: ${expected}`, 'Received:', ...shown].join('\n');
    },
  };
}
