/** `gatewright explain`: where a request goes, and why, without sending it. */
import type { Command } from 'commander';
import { refKey } from '../gateway-runtime/api/object.ts';
import { DEFAULT_PORT_OFFSET, PortPlan } from '../gateway-runtime/control/port-plan.ts';
import { formatSourceProblem } from '../gateway-runtime/control/source.ts';
import { type AskedPlace, explainAsked, isAnswered } from '../gateway-runtime/explain/explained.ts';
import type { Explained } from '../gateway-runtime/explain/explanation.ts';
import { type AskedRequest, parseRequest } from '../gateway-runtime/explain/request.ts';
import { explainedText } from '../gateway-runtime/explain/text.ts';
import { re2 } from '../gateway-runtime/regex/re2.ts';
import { type GatewayId, gatewayKey, type Snapshot } from '../gateway-runtime/snapshot/snapshot.ts';
import type { Translation } from '../gateway-runtime/translate/translation.ts';
import { type ReadOnce, readOnce } from './read-once.ts';
import { type ReadingFlags, withReadingOptions } from './reading-options.ts';
import { refusedAmong } from './show/refused-routes.ts';
import { CommandError, EXIT, print, styled } from './terminal.ts';

const METHOD = /^[A-Z]+$/;

const collect = (value: string, before: string[] = []): string[] => [...before, value];

interface Flags extends ReadingFlags {
  readonly header?: string[];
  readonly client?: string;
  readonly gateway?: string;
}

export function define(command: Command): void {
  withReadingOptions(
    command
      .argument('<path...>', 'manifests, folders of them, and cdk8s apps; then [METHOD] URL')
      .option('-H, --header <name: value>', 'a header of the request; may be repeated', collect)
      .option('--client <address>', 'the address that the request comes from')
      .option('--gateway <ns/name>', 'ask this Gateway (default: all that listen on the port)'),
  )
    .addHelpText('after', EXAMPLES)
    .action(run);
}

const EXAMPLES = `
Examples:
  gatewright explain app.ts GET https://shop.example.com/cart -H 'x-tier: gold'
  gatewright explain manifests/ POST http://shop.example.com/orders
  gatewright explain app.ts http://shop.example.com:8080/cart --json

The port is that of the Gateway (80 and 443 unless the URL has one), or the one
that it is moved to by gatewright serve. Nothing is sent. Where several Gateways
have the port, what serves the request is shown first. With --json, what is
wrong with the files is part of the JSON (problems), and not on standard error.

Exit codes: 0 a backend or a redirect answers; 1 the gateway answers with an
error, all of the time or for a share (no route: 404, a broken one: 500, ...);
2 the command was not understood.`;

async function run(args: string[], flags: Flags): Promise<void> {
  const { paths, asked } = question(args, flags.header ?? [], flags.client);
  const read = await readOnce(paths, {
    classes: flags.class,
    strict: flags.strict ?? false,
    assumesServices: true,
    appTimeout: flags.appTimeout,
    tells: !flags.json,
  });
  const answer = await answerTo(read, asked, flags.gateway);
  if (flags.json) {
    const { assumed, problems } = read;
    const rest = { assumed: assumed.map(refKey), problems: problems.map(formatSourceProblem) };
    print(JSON.stringify({ ...answer, ...rest }, undefined, 2));
  } else {
    const several = read.gateways.length > 1;
    print(explainedText(answer, (gateway) => (several ? styled('bold', `Gateway ${gateway}`) : '')));
  }
  if (!isAnswered(answer)) process.exitCode = EXIT.no;
}

/** What is said of a request. Throws a CommandError where no Gateway, or not the one named, has its port. */
export async function answerTo(
  read: ReadOnce,
  asked: AskedRequest,
  gateway: string | undefined,
): Promise<Explained> {
  const places = await placesOf(read, asked.port, gateway);
  const known = { refused: (host: string) => refusedAmong(read, host), originOf: read.originOf };
  return explainAsked(places, asked, known, re2);
}

/** `<path...> [METHOD] URL` */
function question(
  args: readonly string[],
  headers: readonly string[],
  client: string | undefined,
): { paths: string[]; asked: AskedRequest } {
  const paths = [...args];
  const url = paths.pop()!;
  const method = paths.length > 1 && METHOD.test(paths.at(-1)!) ? `${paths.pop()!} ` : '';
  const asked = parseRequest(`${method}${url}`, headers, client);
  if ('problem' in asked) throw new CommandError(`error ${asked.problem}.`, EXIT.usage);
  if (paths.length > 0) return { paths, asked };
  throw new CommandError(
    'error no files. Name manifests or an app before the URL: gatewright explain app.ts GET http://...',
    EXIT.usage,
  );
}

/** The Gateways that listen on a port, or on one that `serve` moves to it. */
async function placesOf(
  { translation, gateways, problems, whatToName }: ReadOnce,
  port: number,
  name: string | undefined,
): Promise<AskedPlace[]> {
  const asked = gateways.filter((each) => name === undefined || gatewayKey(each) === name);
  if (asked.length === 0) {
    const known = gateways.map(gatewayKey).join(', ');
    throw new CommandError(
      name === undefined
        ? problems.some(({ severity }) => severity === 'error')
          ? 'error no Gateway among the objects. Mend the errors above.'
          : `error no Gateway among the objects. ${whatToName}.`
        : `error no Gateway ${name}. There ${gateways.length === 1 ? 'is' : 'are'}: ${known || 'none'}.`,
    );
  }
  const moved = await movedPorts(translation, gateways);
  const snapshots = asked.map((each) => translation.snapshots.get(gatewayKey(each))!);
  const listening = snapshots.filter((snapshot) => portsOf(snapshot).has(port));
  if (listening.length > 0)
    return listening.map((snapshot) => ({ snapshot, port, publicPort: (each) => each }));
  const local = snapshots.flatMap((snapshot) => {
    const planned = moved.planned(snapshot.gateway).find((each) => each.local === port);
    const publicPort = (each: number) => moved.local(snapshot.gateway, each);
    return planned ? [{ snapshot, port: planned.port, publicPort }] : [];
  });
  if (local.length > 0) return local;
  const ports = new Set(snapshots.flatMap((snapshot) => [...portsOf(snapshot)]));
  throw new CommandError(
    `error no listener of ${asked.map(gatewayKey).join(', ')} has port ${port}. There ${ports.size === 1 ? 'is' : 'are'}: ${[...ports].sort((a, b) => a - b).join(', ') || 'none that is valid'}.`,
  );
}

function portsOf({ resources }: Snapshot): Set<number> {
  return new Set(resources.flatMap((each) => (each.type === 'listener' ? [each.port] : [])));
}

/** Where `serve` would put them. */
async function movedPorts(translation: Translation, gateways: readonly GatewayId[]): Promise<PortPlan> {
  const plan = new PortPlan({ offset: DEFAULT_PORT_OFFSET, address: '127.0.0.1', reserved: [] });
  for (const gateway of gateways) {
    const ports = translation.infrastructure.get(gatewayKey(gateway))?.ports ?? [];
    await plan.plan(gateway, [...new Set(ports.map((each) => each.port))]);
  }
  return plan;
}
