/** What the processes of control plane and data planes have in common: how they are told things, and how they are stopped. */
import { networkInterfaces } from 'node:os';
import { type ParseArgsConfig, parseArgs } from 'node:util';

/** What is wrong with a flag or variable, as a sentence. */
export class OptionError extends Error {
  override readonly name = 'OptionError';
}

export interface Place {
  readonly address: string;
  readonly port: number;
}

type Flags = NonNullable<ParseArgsConfig['options']>;

/** Throws OptionError. */
export function flagValues<const F extends Flags>(args: readonly string[], flags: F) {
  try {
    return parseArgs({ args: [...args], options: flags }).values;
  } catch (error) {
    throw new OptionError((error as Error).message);
  }
}

/** The variable that stands for a flag. */
export const variable = (flag: string) => `GATEWRIGHT_${flag.replaceAll('-', '_').toUpperCase()}`;

/** Throws OptionError. */
export function place(flag: string, text: string): Place {
  const [, address, port] = /^(.+):(\d{1,5})$/.exec(text) ?? [];
  if (address && Number(port) <= 65535) {
    return { address: address.replace(/^\[|\]$/g, ''), port: Number(port) };
  }
  throw new OptionError(`found --${flag} ${text}, expected an address and a port, such as 127.0.0.1:9902`);
}

/** That of IPv6 takes IPv4 too, where the machine has IPv6. */
export function everyAddress(): string {
  const all = Object.values(networkInterfaces()).flat();
  return all.some((each) => each?.family === 'IPv6') ? '::' : '0.0.0.0';
}

/** As a URL has it. */
export const hostOf = (address: string) => (address.includes(':') ? `[${address}]` : address);

/** One line to the operator. */
export const tell = (message: string) => process.stderr.write(`${new Date().toISOString()} ${message}\n`);

/**
 * Runs what the arguments ask for; undefined is for help. Ends with 2 where they are wrong, with 1 where it fails, and with a sentence in both
 * cases.
 */
export async function runProcess<Options>(
  optionsOf: (
    args: readonly string[],
    environment: Readonly<Record<string, string | undefined>>,
  ) => Options | undefined,
  usage: string,
  run: (options: Options) => Promise<void>,
): Promise<void> {
  try {
    const options = optionsOf(process.argv.slice(2), process.env);
    if (options) await run(options);
    else process.stdout.write(usage);
  } catch (error) {
    tell(`error: ${(error as Error).message}`);
    process.exitCode = error instanceof OptionError ? 2 : 1;
  }
}

/**
 * Settles when what was started is to stop: once it has said where it is, or sooner, where `stopped` settles before: that is asked
 * for before anything is started, since the first process of a container gets no signal that it does not listen for. Rejects where it can't be
 * started.
 */
export async function untilStopped(
  stopped: Promise<void>,
  start: Promise<number>,
  address: string,
): Promise<void> {
  const port = await Promise.race([start, stopped]);
  if (port !== undefined) tell(`health and metrics at ${hostOf(address)}:${port}`);
  await stopped;
  tell('stopping');
}

/** Settles when the process is asked to stop. */
export function stopSignal(): Promise<void> {
  return new Promise((resolve) => {
    for (const signal of ['SIGTERM', 'SIGINT'] as const) {
      process.once(signal, () => {
        resolve();
        // A second one does not wait.
        process.once(signal, () => process.exit(signal === 'SIGINT' ? 130 : 143));
      });
    }
  });
}
