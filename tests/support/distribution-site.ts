/** A control plane, two backends and the data planes that a test starts, all of them in this process and gone after each test. */
import { afterEach, beforeEach } from '@jest/globals';
import { DataPlane, type DataPlaneOptions } from '../../gateway-runtime/data-plane/data-plane.ts';
import type { Resource } from '../../gateway-runtime/snapshot/snapshot.ts';
import { listener, rule } from '../unit/match/snapshots.ts';
import { Backend } from './backend.ts';
import { exchange } from './client.ts';
import { at, ControlPlane, FAST } from './distribution.ts';
import { backend, to } from './gateway.ts';

export interface Started {
  readonly plane: DataPlane;
  readonly events: readonly string[];
  readonly folder: string;
  readonly admin: number;
}

export const web = listener('web');

/** Everything goes to one backend. */
export const toBackend = (name: string): Resource[] => [
  web,
  backend(name),
  rule({ rest: { backends: [to(name)] } }),
];

export const get = ({ plane }: Started, port = 80) =>
  exchange(plane.boundPort(port)!, { host: 'a.example.com', path: '/' });

class DistributionSite {
  control!: ControlPlane;
  a!: Backend;
  b!: Backend;
  readonly #planes: DataPlane[] = [];

  async open(): Promise<void> {
    [this.control, this.a, this.b] = await Promise.all([
      ControlPlane.start({ limits: FAST }),
      Backend.echo('a'),
      Backend.echo('b'),
    ]);
  }

  async close(): Promise<void> {
    await Promise.all(this.#planes.splice(0).map((plane) => plane.close()));
    await Promise.all([this.control.remove(), this.a.close(), this.b.close()]);
  }

  endpoints() {
    return { a: [this.a.endpoint], b: [this.b.endpoint] };
  }

  publish(sequence: number, name: string, epoch = 1) {
    const content = { resources: toBackend(name), endpoints: this.endpoints() };
    return this.control.publish(at(sequence, epoch), content)[0]!;
  }

  async start(options: Partial<DataPlaneOptions> = {}): Promise<Started> {
    const given = this.control.options();
    const plane = new DataPlane({ ...given, limits: FAST, ...options });
    this.#planes.push(plane);
    return { plane, events: given.events, folder: given.folder, admin: await plane.start() };
  }
}

/** Opened before each test of the file, and closed after it. */
export function distributionSite(): DistributionSite {
  const site = new DistributionSite();
  beforeEach(() => site.open());
  afterEach(() => site.close());
  return site;
}
