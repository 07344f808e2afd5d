import { describe, expect, it } from '@jest/globals';
import { processOptions } from '../../../gateway-runtime/data-plane/options.ts';

const NEEDED = {
  GATEWRIGHT_GATEWAY: 'infra/gw',
  GATEWRIGHT_CONTROL_PLANE: 'control.gatewright.svc:9901',
  GATEWRIGHT_CA_FILE: '/ca',
  GATEWRIGHT_TOKEN_FILE: '/token',
  GATEWRIGHT_STATE_FOLDER: '/state',
};

describe('options of the data plane', () => {
  it('come from flags, from variables, or have defaults', () => {
    const options = processOptions(['--gateway', 'shop/mine', '--ports', '80:8080'], {
      ...NEEDED,
      GATEWRIGHT_REPLICA: 'mine-1',
      GATEWRIGHT_ACCESS_LOG: 'true',
      GATEWRIGHT_UNREADY_TIME: '0.5',
    })!;
    expect(options).toMatchObject({
      gateway: { namespace: 'shop', name: 'mine' },
      replica: 'mine-1',
      host: 'control.gatewright.svc',
      port: 9901,
      caFile: '/ca',
      tokenFile: '/token',
      folder: '/state',
      admin: { port: 9902 },
      accessLog: true,
      stop: { unready: 500, leave: 2_000 },
    });
    expect(['::', '0.0.0.0']).toContain(options.address);
    expect(options.admin.address).toBe(options.address);
    expect([80, 443, 8443].map(options.bindPort)).toEqual([8080, 64_955, 8443]);
  });

  it('are not needed to ask for help', () => {
    expect(processOptions(['--help'], {})).toBeUndefined();
  });

  it.each([
    [['--gateway', 'gw'], 'found --gateway gw, expected namespace/name'],
    [['--control-plane', 'control'], 'found --control-plane control, expected an address and a port'],
    [['--control-plane', 'control:99999'], 'found --control-plane control:99999, expected'],
    [['--admin', '9902'], 'found --admin 9902, expected an address and a port'],
    [['--ports', '80=8080'], 'found --ports 80=8080, expected pairs of ports'],
    [['--unready-time', 'soon'], 'found --unready-time soon, expected seconds'],
    [['--teleport'], "Unknown option '--teleport'"],
  ])('%j are refused in words', (args, message) => {
    expect(() => processOptions(args, NEEDED)).toThrow(message);
  });

  it('that are missing are named both ways', () => {
    expect(() => processOptions([], { ...NEEDED, GATEWRIGHT_CA_FILE: undefined })).toThrow(
      'found no --ca-file and no GATEWRIGHT_CA_FILE, expected one of them',
    );
  });
});
