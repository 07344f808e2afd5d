import { describe, expect, it } from '@jest/globals';
import { PortPlan } from '../../../gateway-runtime/control/port-plan.ts';

const gateway = (name: string) => ({ namespace: 'infra', name });
const plan = (offset: number | 'free' = 8000, reserved: number[] = []) =>
  new PortPlan({ offset, address: '127.0.0.1', reserved });

describe('PortPlan', () => {
  it('moves ports under 1024 and leaves the others', async () => {
    const ports = plan();
    await ports.plan(gateway('a'), [80, 443, 3000]);
    expect(ports.planned(gateway('a'))).toEqual([
      { port: 80, local: 8080 },
      { port: 443, local: 8443 },
      { port: 3000, local: 3000 },
    ]);
    expect(ports.local(gateway('a'), 443)).toBe(8443);
    expect(ports.local(gateway('a'), 9999)).toBe(9999);
  });

  it('moves a second Gateway by another 1000, and says for whom', async () => {
    const ports = plan();
    await ports.plan(gateway('a'), [80]);
    await ports.plan(gateway('b'), [80]);
    await ports.plan(gateway('c'), [80]);
    expect(ports.planned(gateway('b'))).toEqual([
      { port: 80, local: 9080, taken: { port: 8080, by: 'infra/a' } },
    ]);
    expect(ports.planned(gateway('c'))).toEqual([
      { port: 80, local: 10080, taken: { port: 8080, by: 'infra/a' } },
    ]);
  });

  it('lets a listener keep a port that another one of its Gateway would move to', async () => {
    const ports = plan();
    await ports.plan(gateway('a'), [80, 8080]);
    expect(ports.planned(gateway('a')).map(({ port, local }) => [port, local])).toEqual([
      [80, 9080],
      [8080, 8080],
    ]);
  });

  it('never moves a port that was given, and gives a released one again', async () => {
    const ports = plan();
    await ports.plan(gateway('a'), [80]);
    await ports.plan(gateway('b'), [80]);
    await ports.plan(gateway('b'), [80, 443]);
    expect(ports.local(gateway('b'), 80)).toBe(9080);
    ports.release('infra/a');
    expect(ports.local(gateway('b'), 80)).toBe(9080);
    await ports.plan(gateway('c'), [80]);
    expect(ports.local(gateway('c'), 80)).toBe(8080);
    await ports.plan(gateway('c'), []);
    await ports.plan(gateway('d'), [80]);
    expect(ports.local(gateway('d'), 80)).toBe(8080);
  });

  it('does not give the port of the admin address', async () => {
    const ports = plan(8000, [8080]);
    await ports.plan(gateway('a'), [80]);
    expect(ports.planned(gateway('a'))).toEqual([
      { port: 80, local: 9080, taken: { port: 8080, by: 'the admin address' } },
    ]);
  });

  it('finds a port for more Gateways than there are steps of 1000', async () => {
    const ports = plan();
    const locals = new Set<number>();
    for (let i = 0; i < 100; i++) {
      await ports.plan(gateway(`g${i}`), [80]);
      locals.add(ports.local(gateway(`g${i}`), 80));
    }
    expect(locals.size).toBe(100);
    expect(Math.max(...locals)).toBeLessThanOrEqual(65535);
  });

  it('takes free ports when told to', async () => {
    const ports = plan('free');
    await ports.plan(gateway('a'), [80, 443]);
    const [http, https] = ports.planned(gateway('a')).map(({ local }) => local);
    expect(http).toBeGreaterThan(1023);
    expect(https).toBeGreaterThan(1023);
    expect(http).not.toBe(https);
  });
});
