/** `gatewright replay`: what a change does to the requests of an access log, before it is rolled out. */
import { type Command, InvalidArgumentError, Option } from 'commander';
import { LocalCertificates } from '../gateway-runtime/control/certificates.ts';
import { creationTimes } from '../gateway-runtime/preview/compared.ts';
import { re2 } from '../gateway-runtime/regex/re2.ts';
import { FORMATS, formatOf } from '../gateway-runtime/replay/formats/index.ts';
import type { LogFormat } from '../gateway-runtime/replay/logged-request.ts';
import { Replay, type ReplayOptions } from '../gateway-runtime/replay/replay.ts';
import { CLUSTER, readSide, type Side } from './diff/side.ts';
import { type ReadingFlags, withReadingOptions } from './reading-options.ts';
import { progressOn } from './replay/progress.ts';
import { readLines, requireLog, STDIN } from './replay/read-lines.ts';
import { replayText } from './replay/text-report.ts';
import { CommandError, EXIT, print, tell, tellProblem } from './terminal.ts';

interface Flags extends ReadingFlags {
  readonly against: string;
  readonly from?: string;
  readonly format: string;
  readonly host?: string;
  readonly port?: number;
  readonly gateway?: string;
}

const AUTO = 'auto';

export function define(command: Command): void {
  withReadingOptions(
    command
      .argument('<log...>', 'access logs, compressed or not; - is standard input')
      .requiredOption(
        '--against <new>',
        'the new configuration: a manifest, a folder, an app, a git revision of one (HEAD~1:path), or cluster',
      )
      .option('--from <old>', 'the one before it (default: what the log says of the answers)')
      .addOption(
        new Option('--format <name>', 'of the log')
          .choices([AUTO, ...FORMATS.map(({ name }) => name)])
          .default(AUTO),
      )
      .option('--host <host>', 'of requests for which the log has none, as in nginx combined')
      .option('--port <port>', 'the port of the Gateway that the requests came to', portOf)
      .option('--gateway <ns/name>', 'the Gateway that they came to'),
  )
    .addHelpText('after', EXAMPLES)
    .action(run);
}

const EXAMPLES = `
Examples:
  gatewright replay access.log.gz --from HEAD:app.ts --against app.ts
  gatewright replay access.log --against new/ --json
  zcat /var/log/nginx/*.gz | gatewright replay - --against app.ts \\
      --host shop.example.com

Formats: gatewright (the access log of this gateway), traefik (its JSON), envoy
(its default), nginx (combined) and nginx-vhost (vhost_combined: the host, or
host:port, before combined). By default the first lines tell.

lost: the gateway answers with an error what it did not, or more of it; moved:
other backends; altered: the same ones, with other shares or filters; new: what
was an error. What depends on what the log has not, such as a header that a
rule matches on, is undecided.

Exit codes: 0 nothing changes; 1 something does, or is undecided; 2 the command
was not understood, or something can't be read.`;

function portOf(text: string): number {
  const port = Number(text);
  if (!/^[0-9]+$/.test(text) || port < 1 || port > 65_535)
    throw new InvalidArgumentError('Expected a port, 1 to 65535.');
  return port;
}

async function run(logs: string[], flags: Flags): Promise<void> {
  // An app may take a while, and a log that is not there is known at once.
  for (const log of logs) await requireLog(log);
  const { against, from } = await readSides(flags);
  const known = new Set([...against.keys(), ...(from?.keys() ?? [])]);
  if (flags.gateway !== undefined && !known.has(flags.gateway)) {
    throw new CommandError(
      `error no Gateway ${flags.gateway}. There ${known.size === 1 ? 'is' : 'are'}: ${[...known].join(', ')}.`,
      EXIT.usage,
    );
  }
  const options = {
    against,
    ...(from ? { from } : {}),
    regex: re2,
    ...(flags.host === undefined ? {} : { host: flags.host }),
    ...(flags.port === undefined ? {} : { port: flags.port }),
    ...(flags.gateway === undefined ? {} : { gateway: flags.gateway }),
  };
  const reading = new Reading(logs.map(shownLog).join(', '), options, formatNamed(flags.format));
  const progress = progressOn(process.stderr);
  for (const log of logs) {
    await readLines(log, {
      line: (text) => reading.line(text),
      tooLong: (beginning) => reading.tooLong(beginning),
      progress: (octets, size) => progress.at(log, octets, size),
    });
  }
  progress.end();
  const { totals, format } = reading.end();
  if (totals.requests === 0 && totals.unread.count > 0) {
    const [first] = totals.unread.first;
    throw new CommandError(
      `error no line of ${logs.map(shownLog).join(', ')} can be read as ${format}: ${first!.problem} (line ${first!.line}: ${first!.text}).`,
      EXIT.usage,
    );
  }
  if (flags.json) print(JSON.stringify({ format, ...totals }, undefined, 2));
  else print(replayText(totals, logs.map(shownLog).join(', '), !!from));
  if (totals.unchanged < totals.requests) process.exitCode = EXIT.no;
}

const shownLog = (log: string) => (log === STDIN ? 'standard input' : log);

const formatNamed = (name: string) => FORMATS.find((each) => each.name === name);

/** With the same certificates in the place of those that are missing: they are no difference. */
async function readSides(flags: Flags): Promise<Pick<ReplayOptions, 'against' | 'from'>> {
  const certificates = await LocalCertificates.create();
  const options = {
    classes: flags.class,
    strict: flags.strict ?? false,
    appTimeout: flags.appTimeout,
    certificates,
  };
  try {
    const before = flags.from === undefined ? undefined : await readSide(flags.from, options);
    const after = await readSide(flags.against, {
      ...options,
      ...(before ? { created: creationTimes(before) } : {}),
      // Files are applied over what a cluster has.
      ...(before && flags.from === CLUSTER ? { onto: [...before.objects.values()] } : {}),
    });
    return {
      against: snapshotsOf(after),
      ...(before ? { from: snapshotsOf(before) } : {}),
    };
  } catch (error) {
    // 1 says that something changes.
    if (error instanceof CommandError) throw new CommandError(error.message, EXIT.usage);
    throw error;
  } finally {
    await certificates.remove();
  }
}

function snapshotsOf({ name, problems, snapshots }: Side): Side['snapshots'] {
  for (const problem of problems) tellProblem(problem);
  if (problems.some((problem) => problem.startsWith('error'))) {
    throw new CommandError(`error ${name} has errors. Mend those above.`, EXIT.usage);
  }
  if (snapshots.size > 0) return snapshots;
  throw new CommandError(
    `error no Gateway in ${name}. Name what has one too: a folder, or an app.`,
    EXIT.usage,
  );
}

/** Lines by which the format of a log is known. */
const FIRST_LINES = 20;

/** The first lines wait until the format is known. */
class Reading {
  readonly #log: string;
  readonly #options: Omit<ReplayOptions, 'format'>;
  #format: LogFormat | undefined;
  #replay: Replay | undefined;
  #waiting: string[] = [];

  constructor(log: string, options: Omit<ReplayOptions, 'format'>, format: LogFormat | undefined) {
    this.#log = log;
    this.#options = options;
    if (format) this.#start(format);
  }

  line(text: string): void {
    if (this.#replay) this.#replay.line(text);
    else if (text !== '') {
      this.#waiting.push(text);
      if (this.#waiting.length === FIRST_LINES) this.#choose();
    }
  }

  tooLong(beginning: string): void {
    if (!this.#replay) this.#choose();
    this.#replay?.tooLong(beginning);
  }

  end() {
    if (!this.#replay) this.#choose();
    return { totals: this.#replay!.result, format: this.#format!.name };
  }

  #start(format: LogFormat): void {
    this.#format = format;
    this.#replay = new Replay({ ...this.#options, format });
  }

  #choose(): void {
    const [first] = this.#waiting;
    if (first === undefined)
      throw new CommandError(
        `error ${this.#log} has no line. Name an access log with requests in it.`,
        EXIT.usage,
      );
    const format = formatOf(this.#waiting);
    if (!format) {
      const names = FORMATS.map(({ name }) => name).join(', ');
      throw new CommandError(
        `error the format of ${this.#log} is not known, expected one of ${names}. Name it: --format. Its first line: ${first.slice(0, 200)}`,
        EXIT.usage,
      );
    }
    tell(`The log is read as ${format.name}; --format names another format.`);
    this.#start(format);
    for (const line of this.#waiting) this.#replay!.line(line);
    this.#waiting = [];
  }
}
