#!/usr/bin/env node
/** The process of a data plane. It has no credentials but the token by which the control plane knows it. */
import { hostOf, runProcess, stopSignal, tell } from '../distribution/process.ts';
import { LogFile } from '../proxy/telemetry/log-file.ts';
import { re2 } from '../regex/re2.ts';
import { DataPlane } from './data-plane.ts';
import { type ProcessOptions, processOptions, USAGE } from './options.ts';

await runProcess(processOptions, USAGE, run);

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
