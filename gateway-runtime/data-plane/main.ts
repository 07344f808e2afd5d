#!/usr/bin/env node
import { hostOf, OptionError, stopSignal } from '../distribution/process.ts';
/** The process of a data plane. It has no credentials but the token by which the control plane knows it. */
import { LogFile } from '../proxy/telemetry/log-file.ts';
import { re2 } from '../regex/re2.ts';
import { DataPlane } from './data-plane.ts';
import { type ProcessOptions, processOptions, USAGE } from './options.ts';

const tell = (message: string) => process.stderr.write(`${new Date().toISOString()} ${message}\n`);

try {
  const options = processOptions(process.argv.slice(2), process.env);
  if (options) await run(options);
  else process.stdout.write(USAGE);
} catch (error) {
  tell(`error: ${(error as Error).message}`);
  process.exitCode = error instanceof OptionError ? 2 : 1;
}

async function run({ accessLog, stop, ...options }: ProcessOptions): Promise<void> {
  const log = new LogFile(process.stdout.fd);
  const dataPlane = new DataPlane({
    ...options,
    regex: re2,
    onEvent: tell,
    ...(accessLog ? { accessLog: (line: string) => log.write(line) } : {}),
  });
  const { address } = options.admin;
  const port = await dataPlane.start();
  tell(`health and metrics at ${hostOf(address)}:${port}`);
  await stopSignal();
  tell('stopping');
  await dataPlane.stop(stop);
  log.flushSync();
}
