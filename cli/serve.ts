/** `gatewright serve`: what the files say, as traffic on this machine. */
import { once } from 'node:events';
import { createWriteStream } from 'node:fs';
import { isIP } from 'node:net';
import { finished } from 'node:stream/promises';
import { type Command, InvalidArgumentError, Option } from 'commander';
import { MOST_WORKERS } from '../gateway-runtime/api/workers.ts';
import { type BackendMapping, parseBackendMapping } from '../gateway-runtime/control/backend-mapping.ts';
import { DEFAULT_PORT_OFFSET } from '../gateway-runtime/control/port-plan.ts';
import { possibleWorkers } from '../gateway-runtime/workers/possible.ts';
import { appTimeoutOption } from './app/app-timeout.ts';
import { JsonReport } from './serve/json-report.ts';
import { Session } from './serve/session.ts';
import { TextReport } from './serve/text-report.ts';
import { CommandError, EXIT, print, tellProblem } from './terminal.ts';
import { unwritable } from './unwritable.ts';

interface Flags {
  readonly address: string;
  readonly portOffset: number | 'free';
  readonly admin: { address: string; port: number };
  readonly backend?: BackendMapping[];
  readonly trustedHop?: string[];
  readonly class?: string[];
  readonly strict?: true;
  readonly appTimeout: number;
  readonly workers: number;
  readonly accessLog?: string | true;
  readonly all?: true;
  readonly json?: true;
}

export function define(command: Command): void {
  command
    .argument('<path...>', 'manifests (*.yaml, *.yml, *.json), folders of them, and cdk8s apps (app.ts)')
    .option('--address <ip>', 'where listeners are bound', ownAddress, '127.0.0.1')
    .option(
      '--port-offset <number>',
      'added to ports under 1024; "free" takes any free port',
      offset,
      DEFAULT_PORT_OFFSET,
    )
    .addOption(
      new Option('--admin <ip:port>', 'where health, metrics, snapshot and explain are')
        .argParser(adminAddress)
        .default({ address: '127.0.0.1', port: 9902 }, '127.0.0.1:9902'),
    )
    .option('--backend <ns/name:port=url>', 'where a Service really runs; may be repeated', backend)
    .option(
      '--trusted-hop <cidr>',
      'a proxy in front whose X-Forwarded fields are true; may be repeated',
      trustedHop,
    )
    .option('--class <name...>', 'serve only Gateways of these classes')
    .option('--strict', 'refuse Services without endpoints and missing certificates')
    .addOption(appTimeoutOption())
    .option(
      '--workers <number>',
      `processes for each Gateway that share its ports, each on a core of its own (Linux), 1 to ${MOST_WORKERS}`,
      workers,
      1,
    )
    .option('--access-log [file]', 'one JSON line per request, to a file or to standard output')
    .option('--all', 'show every route at start, with a command for each')
    .option('--json', 'tell everything as one JSON object per line, for machines')
    .addHelpText('after', EXAMPLES)
    .action(run);
}

const EXAMPLES = `
Examples:
  gatewright serve gateway.yaml routes/
  gatewright serve app.ts --backend shop/cart:8080=http://127.0.0.1:3000
  gatewright serve manifests/ --strict --port-offset 9000
  gatewright serve manifests/ --workers 4

Ports under 1024 move (80 to 8080, 443 to 8443), so that nobody needs root.
A Service with neither endpoints nor --backend is echoed: it answers with the
request as it arrived. Certificates that are missing are made. --strict refuses
both instead.`;

async function run(paths: string[], flags: Flags): Promise<void> {
  const report = flags.json ? new JsonReport() : new TextReport({ all: flags.all ?? false });
  const log = await openAccessLog(flags.accessLog);
  const possible = possibleWorkers(flags.workers);
  if (possible.why) tellProblem(`warning --workers ${flags.workers}: ${possible.why}.`);
  const session = await Session.start(
    {
      paths,
      address: flags.address,
      portOffset: flags.portOffset,
      admin: flags.admin,
      mappings: flags.backend ?? [],
      classes: flags.class ?? 'any',
      strict: flags.strict ?? false,
      appTimeout: flags.appTimeout,
      trustedHops: flags.trustedHop ?? [],
      workers: possible.count,
      ...(log ? { accessLog: log.write } : {}),
    },
    report,
  );
  await stopSignal();
  report.stopping();
  await session.drain();
  await log?.close();
}

interface AccessLog {
  write(line: string): void;
  close(): Promise<void>;
}

async function openAccessLog(file: string | true | undefined): Promise<AccessLog | undefined> {
  if (file === undefined) return undefined;
  if (file === true) return { write: print, close: async () => {} };
  const stream = createWriteStream(file, { flags: 'a', mode: 0o640 });
  try {
    await once(stream, 'open');
  } catch (error) {
    throw new CommandError(
      `error --access-log ${file} ${unwritable(error)}. Fix: name another file.`,
      EXIT.usage,
    );
  }
  return {
    write: (line) => void stream.write(`${line}\n`),
    close: async () => {
      stream.end();
      await finished(stream);
    },
  };
}

/** As of the beginning: it may be gone before anybody looks. */
const PARENT = process.ppid;
/** Milliseconds between looks at whether the parent is still there. */
const LOOK = 500;

function stopSignal(): Promise<void> {
  return new Promise((resolve) => {
    for (const signal of ['SIGTERM', 'SIGINT'] as const) {
      process.once(signal, () => {
        resolve();
        // A second one does not wait.
        process.once(signal, () => process.exit(signal === 'SIGINT' ? 130 : 143));
      });
    }
    // npm runs this in a shell, hands a signal to that alone, and the shell does not pass it on: it just ends.
    if (process.env.npm_lifecycle_event === undefined) return;
    const look = setInterval(() => {
      if (process.ppid === PARENT) return;
      clearInterval(look);
      resolve();
    }, LOOK);
    look.unref();
  });
}

function ownAddress(text: string): string {
  if (isIP(text) !== 0) return text;
  throw new InvalidArgumentError(
    'Expected an IP address of this machine, such as 127.0.0.1, or 0.0.0.0 for all.',
  );
}

function offset(text: string): number | 'free' {
  if (text === 'free') return text;
  const value = Number(text);
  if (!/^\d+$/.test(text) || value > 64_000) throw new InvalidArgumentError('Expected 0 to 64000, or free.');
  return value;
}

function workers(text: string): number {
  if (/^[1-9]\d?$/.test(text) && Number(text) <= MOST_WORKERS) return Number(text);
  throw new InvalidArgumentError(`Expected a number from 1 to ${MOST_WORKERS}.`);
}

function adminAddress(text: string): { address: string; port: number } {
  const [, address, port] = /^(.+):(\d{1,5})$/.exec(text) ?? [];
  if (!address || Number(port) > 65535)
    throw new InvalidArgumentError('Expected address:port, such as 127.0.0.1:9902.');
  return { address: address.replace(/^\[|\]$/g, ''), port: Number(port) };
}

function backend(text: string, before: BackendMapping[] = []): BackendMapping[] {
  const mapping = parseBackendMapping(text);
  if ('problem' in mapping) throw new InvalidArgumentError(`The mapping is wrong: ${mapping.problem}.`);
  return [...before, mapping];
}

function trustedHop(text: string, before: string[] = []): string[] {
  const [, address = '', bits] = /^([^/]+)(?:\/(\d{1,3}))?$/.exec(text) ?? [];
  const longest = { 0: -1, 4: 32, 6: 128 }[isIP(address)]!;
  if (longest < Number(bits ?? 0))
    throw new InvalidArgumentError('Expected an address or CIDR, such as 10.0.0.0/8.');
  return [...before, text];
}
