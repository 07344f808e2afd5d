import { describe, expect, it } from '@jest/globals';
import { makeRoot } from '../../../gateway-runtime/control/x509.ts';
import { pemBlocks } from '../../../gateway-runtime/translate/pem.ts';

const block = (der: readonly number[] | string, label = 'CERTIFICATE') =>
  `-----BEGIN ${label}-----\n${typeof der === 'string' ? der : btoa(String.fromCharCode(...der))}\n-----END ${label}-----\n`;

describe('pemBlocks', () => {
  it('gives real certificates as they were', () => {
    const { certificate } = makeRoot('An authority', 1);
    expect(pemBlocks(certificate + certificate, 'CERTIFICATE')).toEqual([certificate, certificate]);
  });

  it('leaves out what stands beside the blocks, and blocks of other labels', () => {
    const text = `Subject: x\r\n${block([0x30, 1, 0])}password: y\n${block('a2V5', 'PRIVATE KEY')}${block([0x30, 0])}`;
    expect(pemBlocks(text, 'CERTIFICATE')).toEqual([block([0x30, 1, 0]), block([0x30, 0])]);
    expect(pemBlocks('none', 'CERTIFICATE')).toEqual([]);
  });

  it('takes long lengths', () => {
    const content = (count: number) => Array<number>(count).fill(1);
    for (const der of [
      [0x30, 0x7f, ...content(0x7f)],
      [0x30, 0x81, 0x80, ...content(0x80)],
      [0x30, 0x82, 1, 2, ...content(0x102)],
    ]) {
      const [found] = pemBlocks(block(der), 'CERTIFICATE') ?? [];
      expect(found?.replaceAll('\n', '')).toBe(block(der).replaceAll('\n', ''));
      expect(pemBlocks(block(der.slice(0, -1)), 'CERTIFICATE')).toBeUndefined();
      expect(pemBlocks(block([...der, 0]), 'CERTIFICATE')).toBeUndefined();
    }
  });

  it.each([
    ['cut off', '-----BEGIN CERTIFICATE-----\nMAA='],
    ['empty', block('')],
    ['no base64', block('%%%%')],
    ['base64 of a wrong length', block('MAA')],
    ['no sequence', block([0x31, 0])],
    ['a sequence of no length', block([0x30])],
    ['a sequence of indefinite length', block([0x30, 0x80, 0, 0])],
    ['one good and one broken', block([0x30, 0]) + block('%%%%')],
  ])('refuses %s', (_, text) => {
    expect(pemBlocks(text, 'CERTIFICATE')).toBeUndefined();
  });
});
