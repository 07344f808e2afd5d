/** A gateway that logs to a file: `node full-disk-gateway.ts BACKEND_PORT FILE`. Says its port, and its metrics for each line of its input. */
import { openSync } from 'node:fs';
import { createInterface } from 'node:readline';
import { LogFile } from '../../gateway-runtime/proxy/telemetry/log-file.ts';
import { Metrics } from '../../gateway-runtime/proxy/telemetry/metrics.ts';
import { serviceWhoami, TestGateway } from '../support/gateway.ts';

const [port, file] = process.argv.slice(2) as [string, string];
const log = new LogFile(openSync(file, 'a'), { delay: 5 });
const metrics = new Metrics();
metrics.putLog(() => log.lostInAll);
const gateway = await TestGateway.serving(serviceWhoami([{ address: '127.0.0.1', port: Number(port) }]), {
  engine: 'http1',
  metrics,
  accessLog: (line) => log.write(line),
});
console.log(gateway.port());
for await (const _ of createInterface({ input: process.stdin })) {
  const lost = /^gatewright_access_log_lines_lost_total (\d+)$/m.exec(await metrics.text())![1];
  console.log(lost);
}
process.exit();
