/** `gatewright owners`: who may use which hosts and paths, who does, and who has a given URL. */
import type { Command } from 'commander';
import { refKey } from '../gateway-runtime/api/object.ts';
import { formatSourceProblem } from '../gateway-runtime/control/source.ts';
import type { Explained } from '../gateway-runtime/explain/explanation.ts';
import { hostnameMatches } from '../gateway-runtime/match/hostname.ts';
import { normalizeHost } from '../gateway-runtime/match/normalize.ts';
import { objectsOfCluster } from './diff/cluster.ts';
import { CLUSTER } from './diff/side.ts';
import { answerTo } from './explain.ts';
import { ownersOf, parseUrl } from './owners/asked-url.ts';
import { around, type Claim, claimsOf } from './owners/claims.ts';
import { type Holding, holdingsOf } from './owners/holdings.ts';
import { type Owned, ownersText } from './owners/text.ts';
import { urlText } from './owners/url-text.ts';
import { Uses } from './owners/used-by.ts';
import { type ReadOnce, readOnce } from './read-once.ts';
import { type ReadingFlags, withReadingOptions } from './reading-options.ts';
import { CommandError, EXIT, print } from './terminal.ts';

interface Flags extends ReadingFlags {
  readonly host?: string;
  readonly team?: string;
  readonly url?: string;
  readonly gateway?: string;
}

export function define(command: Command): void {
  withReadingOptions(
    command
      .argument('<path...>', 'manifests, folders of them, cdk8s apps, and cluster')
      .option('--host <hostname>', 'only what takes this hostname')
      .option('--team <name>', 'only what this team has')
      .option('--url <url>', 'only who has this URL, and which route answers')
      .option('--gateway <ns/name>', 'only this Gateway'),
  )
    .addHelpText('after', EXAMPLES)
    .action(run);
}

const EXAMPLES = `
Examples:
  gatewright owners app.ts
  gatewright owners cluster --team shop
  gatewright owners app.ts --host shop.example.com
  gatewright owners app.ts --url https://shop.example.com/checkout

Lists each host and path that a team was granted: the ports, the routes that use
it, the grant and the line that makes it. What no Grant says is taken from the
listeners themselves. A URL is read as the gateway reads it, whatever its case,
port, trailing dot or alphabet. The cluster is that of the kubeconfig.

Exit codes: 0 all is clear; 1 something is claimed by several, nobody has the
URL, nothing is listed, or something could not be read; 2 the command was not
understood.`;

async function run(paths: string[], flags: Flags): Promise<void> {
  const asked = flags.url === undefined ? undefined : parseUrl(flags.url);
  const host = flags.host === undefined ? undefined : hostname(flags.host);
  const read = await objectsOf(paths, flags);
  const holdings = holdingsOf(read);
  const uses = new Uses(read.translation.snapshots.values());
  if (asked) {
    const answer = await answerTo(read, asked, flags.gateway);
    // What no route of the platform itself uses is nobody's: its own listeners are open to it at every host.
    const owners = ownersOf(answer, holdings).filter((each) => !isOwn(each) || uses.of(each).length > 0);
    if (flags.json) printJson(read, owned(owners, holdings, uses), [], answer);
    else for (const line of urlText(flags.url!, answer, owners, read)) print(line);
    if (owners.length === 0 || isShared(owners)) process.exitCode = EXIT.no;
    return;
  }
  const wanted = holdings.filter((each) => isWanted(each, flags, host));
  const claims = claimsOf(holdings, uses).filter(({ gateway, host, path }) =>
    wanted.some((each) => each.gateway === gateway && hostnameMatches(each.host, host) && each.path === path),
  );
  // The platform's own listeners, which nobody uses, are nobody's news.
  const shown = owned(wanted, holdings, uses).filter((each) => each.routes.length > 0 || !isOwn(each));
  if (shown.length === 0 && !flags.json) throw nothing(holdings, flags, read);
  if (flags.json) printJson(read, shown, claims);
  else for (const line of ownersText(shown, claims)) print(line);
  const broken = read.problems.some(({ severity }) => severity === 'error');
  if (claims.length > 0 || shown.length === 0 || broken) process.exitCode = EXIT.no;
}

async function objectsOf(paths: readonly string[], flags: Flags): Promise<ReadOnce> {
  const files = paths.filter((each) => each !== CLUSTER);
  const onto = files.length < paths.length ? await objectsOfCluster() : [];
  return readOnce(files, {
    onto,
    classes: flags.class,
    strict: flags.strict ?? false,
    assumesServices: true,
    appTimeout: flags.appTimeout,
    tells: !flags.json,
  });
}

function hostname(given: string): string {
  const wildcard = given.startsWith('*.') ? '*.' : '';
  const host = normalizeHost(given.slice(wildcard.length));
  if (typeof host === 'string') return wildcard + host;
  throw new CommandError(
    `error --host ${given}: expected a hostname such as shop.example.com, and ${host.problem}.`,
    EXIT.usage,
  );
}

const isWanted = ({ host, holder, gateway }: Holding, flags: Flags, asked: string | undefined): boolean =>
  (asked === undefined || hostnameMatches(host, asked)) &&
  (flags.team === undefined || holder === flags.team) &&
  (flags.gateway === undefined || gateway === flags.gateway);

/** A listener for routes of the Gateway's own namespace. */
const isOwn = ({ gateway, namespaces, object }: Holding) =>
  object.kind === 'Gateway' && namespaces?.length === 1 && gateway.startsWith(`${namespaces[0]}/`);

const owned = (some: readonly Holding[], all: readonly Holding[], uses: Uses): Owned[] =>
  some.map((each) => ({ ...each, routes: uses.of(each), inside: around(each, all) }));

/** Whether two have the very same path. */
const isShared = ([first, second]: readonly Holding[]) =>
  first !== undefined && second !== undefined && first.path === second.path && first.host === second.host;

function nothing(holdings: readonly Holding[], flags: Flags, read: ReadOnce): CommandError {
  const asked = [
    ...(flags.host ? [`host ${flags.host}`] : []),
    ...(flags.team ? [`team ${flags.team}`] : []),
    ...(flags.gateway ? [`Gateway ${flags.gateway}`] : []),
  ];
  if (read.gateways.length === 0)
    return new CommandError(`error no Gateway among the objects. ${read.whatToName}.`);
  if (asked.length === 0)
    return new CommandError(
      'error nothing is granted: no listener takes routes of a team. Fix: gateway.grant(team, { hostnames }).',
    );
  const teams = [
    ...new Set(holdings.filter((each) => each.isTeam && !isOwn(each)).map(({ holder }) => holder)),
  ].sort();
  return new CommandError(
    `error nothing is granted for ${asked.join(' and ')}. Teams with grants: ${teams.join(', ') || 'none'}.`,
  );
}

function printJson(
  read: ReadOnce,
  shown: readonly Owned[],
  claims: readonly Claim[],
  answer?: Explained,
): void {
  const served = answer?.matches.find(({ outcome }) => outcome === 'serves');
  const report = {
    ...(answer
      ? {
          request: answer.request,
          gateway: answer.gateway,
          summary: answer.summary,
          ...(served ? { route: routeOf(served) } : {}),
        }
      : {}),
    owners: shown.map((each) => reported(each, read)),
    claimedBySeveral: claims,
    problems: read.problems.map(formatSourceProblem),
  };
  print(JSON.stringify(report, undefined, 2));
}

const routeOf = ({
  kind,
  namespace,
  name,
  rule,
}: {
  kind: string;
  namespace: string;
  name: string;
  rule: number;
}) => ({
  kind,
  namespace,
  name,
  rule,
});

/** One of `owners` of the JSON form; fields are added to it and not taken away. */
function reported(
  { places, routes, inside, object, origin, holder, isTeam, ...rest }: Owned,
  read: ReadOnce,
) {
  return {
    ...(isTeam ? { team: holder } : { openTo: holder }),
    ...rest,
    object: refKey(object),
    ...(origin === undefined ? {} : { origin }),
    listeners: places.map(({ object, listener, hostname, port, protocol, isServed }) => ({
      object: refKey(object),
      listener,
      hostname,
      port,
      protocol,
      isServed,
    })),
    routes: routes.map((ref) => ({ route: refKey(ref), origin: read.originOf(ref) })),
    inside: inside.map(({ holder, host, path, grant }) => ({ team: holder, host, path, grant })),
  };
}
