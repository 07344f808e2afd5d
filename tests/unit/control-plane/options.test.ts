import { describe, expect, it } from '@jest/globals';
import { processOptions } from '../../../gateway-runtime/control-plane/options.ts';

const IMAGE = ['--image', 'gatewright:1'];

describe('options of the control plane', () => {
  it('come from flags, or else from variables', () => {
    const options = processOptions(['--namespace', 'infra', ...IMAGE, '--names', 'a.example.com,192.0.2.1'], {
      GATEWRIGHT_NAMESPACE: 'ignored',
      GATEWRIGHT_POD: 'gatewright-1',
      GATEWRIGHT_POD_IP: '10.0.0.7',
      GATEWRIGHT_TOKEN_FILE: '/token',
    });
    expect(options).toMatchObject({
      namespace: 'infra',
      pod: 'gatewright-1',
      podIp: '10.0.0.7',
      tokenFile: '/token',
      image: 'gatewright:1',
      names: ['a.example.com', '192.0.2.1'],
      service: 'gatewright-control-plane',
      clusterDomain: 'cluster.local',
      lease: 15_000,
    });
    expect(options?.listen.port).toBe(9903);
    expect(options?.admin.port).toBe(9902);
  });

  it('take an empty variable for none', () => {
    expect(processOptions(IMAGE, { GATEWRIGHT_POD_IP: '' })).not.toHaveProperty('podIp');
  });

  it('have no image where nothing is to be provisioned', () => {
    expect(processOptions([...IMAGE, '--no-provision'], {})).not.toHaveProperty('image');
    expect(processOptions([], { GATEWRIGHT_NO_PROVISION: 'true' })).not.toHaveProperty('image');
  });

  it('are undefined where help is asked for', () => {
    expect(processOptions(['--help'], {})).toBeUndefined();
  });

  it.each([
    [[], 'found no --image and no GATEWRIGHT_IMAGE'],
    [[...IMAGE, '--listen', '9903'], 'found --listen 9903, expected an address and a port'],
    [[...IMAGE, '--admin', '[::]:99020'], 'found --admin [::]:99020'],
    [[...IMAGE, '--lease', '2'], 'found --lease 2, expected seconds, from 3 to 9999'],
    [[...IMAGE, '--lease', '1e3'], 'found --lease 1e3'],
    [[...IMAGE, '--typo'], "Unknown option '--typo'"],
  ])('%j are refused', (args, message) => {
    expect(() => processOptions(args, {})).toThrow(message);
  });
});
