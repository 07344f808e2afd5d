#!/usr/bin/env node
/** The process of a data plane. It has no credentials but the token by which the control plane knows it. */
import { fileURLToPath } from 'node:url';
import { runProcess, stopSignal, tell, untilStopped } from '../distribution/process.ts';
import { LogFile } from '../proxy/telemetry/log-file.ts';
import { re2 } from '../regex/re2.ts';
import { possibleWorkers } from '../workers/possible.ts';
import { runWorker } from '../workers/worker.ts';
import { DataPlane } from './data-plane.ts';
import { type ProcessOptions, processOptions, USAGE } from './options.ts';

/** The argument by which this program is one of its own workers: an image has it in one file. */
const WORKER = 'worker';

if (process.argv[2] === WORKER) runWorker(re2);
else await runProcess(processOptions, USAGE, run);

async function run({ accessLog, stop, workers, ...options }: ProcessOptions): Promise<void> {
  const stopped = stopSignal();
  const log = new LogFile(process.stdout.fd);
  const { count, why } = possibleWorkers(workers);
  if (why) tell(why);
  const dataPlane = new DataPlane({
    ...options,
    regex: re2,
    onEvent: tell,
    workers: { count, program: { file: fileURLToPath(import.meta.url), args: [WORKER] } },
    ...(accessLog
      ? {
          accessLog: (lines: string, found: number) => log.write(lines, found),
          linesLost: () => log.lostInAll,
        }
      : {}),
  });
  await untilStopped(stopped, dataPlane.start(), options.admin.address);
  await dataPlane.stop(stop);
  await log.end();
}
