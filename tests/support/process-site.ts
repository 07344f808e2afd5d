/** A control plane, a backend, and the processes of data planes that a test starts; all of them are gone after each test. */
import { afterEach, beforeEach } from '@jest/globals';
import { listener, rule } from '../unit/match/snapshots.ts';
import { Backend } from './backend.ts';
import { DataPlaneProcess } from './data-plane-process.ts';
import { at, ControlPlane } from './distribution.ts';
import { backend, to } from './gateway.ts';

const flags = (workers: number) => ['--ports', '80:0', '--workers', `${workers}`];

class ProcessSite {
  control!: ControlPlane;
  a!: Backend;
  readonly #running: DataPlaneProcess[] = [];

  async open(): Promise<void> {
    [this.control, this.a] = await Promise.all([ControlPlane.start(), Backend.echo('a')]);
    this.control.publish(at(1), {
      resources: [listener('web'), backend('a'), rule({ rest: { backends: [to('a')] } })],
      endpoints: { a: [this.a.endpoint] },
    });
  }

  async close(): Promise<void> {
    await Promise.all(this.#running.splice(0).map((each) => each.kill()));
    await Promise.all([this.control.remove(), this.a.close()]);
  }

  /** On ports of its own; not ready yet. */
  async start(replica: string, workers = 1): Promise<DataPlaneProcess> {
    const started = await DataPlaneProcess.start(this.control, replica, flags(workers));
    this.#running.push(started);
    return started;
  }

  /** The same, and it is not waited for. */
  begin(replica: string, workers = 1): DataPlaneProcess {
    const begun = DataPlaneProcess.begin(this.control, replica, flags(workers));
    this.#running.push(begun);
    return begun;
  }
}

/** Opened before each test of the file, and closed after it. */
export function processSite(): ProcessSite {
  const site = new ProcessSite();
  beforeEach(() => site.open());
  afterEach(() => site.close());
  return site;
}
