import { describe, expect, it } from '@jest/globals';
import type { RawObject } from '../../../gateway-runtime/api/object.ts';
import { re2 } from '../../../gateway-runtime/regex/re2.ts';
import { Translator } from '../../../gateway-runtime/translate/translator.ts';
import {
  brief,
  CERTIFICATE,
  gateway,
  grant,
  http,
  https,
  KEY,
  listenerStatus,
  listenersOf,
  messageOf,
  tlsSecret,
  translated,
} from './build.ts';

const withSecret = (...objects: readonly RawObject[]) =>
  translated([gateway('infra/gw', [http('web'), https('secure', 'cert')]), ...objects]);
const data = (crt?: string, key?: string) => ({
  data: {
    ...(crt === undefined ? {} : { 'tls.crt': crt }),
    ...(key === undefined ? {} : { 'tls.key': key }),
  },
});

describe('a certificate', () => {
  it('goes its own way, and only its name into the snapshot', () => {
    const translation = withSecret(tlsSecret('infra/cert'));
    expect(listenersOf(translation, 'infra/gw').map(({ certificates }) => certificates)).toEqual([
      ['infra/cert'],
      [],
    ]);
    expect(translation.certificates.get('infra/cert')).toMatchObject({
      id: 'infra/cert',
      certificate: CERTIFICATE,
      privateKey: KEY,
    });
    const shown = JSON.stringify([
      [...translation.snapshots],
      [...translation.statuses],
      translation.diagnostics,
    ]);
    expect(shown).not.toContain(KEY.split('\n')[1]);
    expect(shown).not.toContain(btoa(KEY));
  });

  it('that no listener uses is not given out', () => {
    expect(withSecret(tlsSecret('infra/cert'), tlsSecret('infra/other')).certificates.size).toBe(1);
  });

  it('has another hash when its key is another one', () => {
    const hash = (key: string) =>
      withSecret(tlsSecret('infra/cert', data(btoa(CERTIFICATE), btoa(key)))).certificates.get('infra/cert')!
        .hash;
    expect(hash(KEY)).not.toBe(hash(KEY.replace('c2VjcmV0', 'b3RoZXI=')));
    expect(hash(KEY)).toBe(hash(KEY));
  });

  it('may be written as text, which comes before the encoded form', () => {
    const stringData = { 'tls.crt': CERTIFICATE, 'tls.key': KEY };
    const secret = tlsSecret('infra/cert', { ...data(btoa('old'), btoa('old')), stringData });
    expect(withSecret(secret).certificates.get('infra/cert')!.privateKey).toBe(KEY);
  });

  it('may stand behind other blocks, and have a key of another form', () => {
    const key = `-----BEGIN EC PARAMETERS-----\nBggq\n-----END EC PARAMETERS-----\n${KEY.replaceAll('PRIVATE', 'EC PRIVATE')}`;
    expect(withSecret(tlsSecret('infra/cert', data(btoa(CERTIFICATE), btoa(key)))).certificates.size).toBe(1);
  });

  it.each<[string, RawObject[], string]>([
    ['a Secret that is not there', [], 'Secret infra/cert does not exist'],
    [
      'another type',
      [tlsSecret('infra/cert', { type: 'Opaque' })],
      'Secret infra/cert is of type Opaque, expected kubernetes.io/tls',
    ],
    ['no data', [tlsSecret('infra/cert', { data: undefined })], 'has no tls.crt'],
    ['no certificate', [tlsSecret('infra/cert', data(undefined, btoa(KEY)))], 'has no tls.crt'],
    ['no key', [tlsSecret('infra/cert', data(btoa(CERTIFICATE)))], 'has no tls.key'],
    [
      'a certificate that is not PEM',
      [tlsSecret('infra/cert', data(btoa('Hello world'), btoa(KEY)))],
      'has no PEM certificate in tls.crt',
    ],
    [
      'a key that is not PEM',
      [tlsSecret('infra/cert', data(btoa(CERTIFICATE), btoa('Hello world')))],
      'has no PEM private key in tls.key',
    ],
    [
      'a key that is locked',
      [
        tlsSecret(
          'infra/cert',
          data(btoa(CERTIFICATE), btoa(KEY.replaceAll('PRIVATE', 'ENCRYPTED PRIVATE'))),
        ),
      ],
      'has no PEM private key in tls.key',
    ],
    [
      'a block that does not end',
      [tlsSecret('infra/cert', data(btoa(CERTIFICATE.slice(0, -10)), btoa(KEY)))],
      'has no PEM certificate in tls.crt',
    ],
    [
      'what is not base64',
      [tlsSecret('infra/cert', data('%%%', btoa(KEY)))],
      'has no PEM certificate in tls.crt',
    ],
    [
      'fields that are wrong',
      [tlsSecret('infra/cert', { data: { 'tls.key': 7 } })],
      'Secret infra/cert was refused for its fields',
    ],
  ])('of %s does not resolve', (_, objects, message) => {
    const translation = withSecret(...objects);
    const { conditions } = listenerStatus(translation, 'infra/gw', 'secure');
    expect(brief(conditions)).toEqual({
      Accepted: 'True Accepted',
      Programmed: 'False Invalid',
      ResolvedRefs: 'False InvalidCertificateRef',
      Conflicted: 'False NoConflicts',
    });
    expect(messageOf(conditions, 'ResolvedRefs')).toContain(message);
    expect(messageOf(conditions, 'Programmed')).toBe('Not served: no certificate resolves.');
    expect(translation.diagnostics).toContainEqual(
      expect.objectContaining({
        code: 'listener/invalid-certificate-ref',
        field: 'spec.listeners[1].tls.certificateRefs[0]',
        message: expect.stringContaining(message),
      }),
    );
    expect(translation.certificates.size).toBe(0);
  });

  it.each([
    ['group', { group: 'wrong.example.com', kind: 'Secret', name: 'cert' }],
    ['kind', { group: '', kind: 'WrongKind', name: 'cert' }],
  ])('of another %s does not resolve', (_, ref) => {
    const translation = translated([gateway('infra/gw', [https('secure', ref)]), tlsSecret('infra/cert')]);
    expect(brief(listenerStatus(translation, 'infra/gw', 'secure').conditions).ResolvedRefs).toBe(
      'False InvalidCertificateRef',
    );
  });

  it('is needed by a listener with HTTPS', () => {
    const { conditions } = listenerStatus(
      translated([gateway('infra/gw', [http('secure', 443, { protocol: 'HTTPS' })])]),
      'infra/gw',
      'secure',
    );
    expect(brief(conditions)).toMatchObject({
      Programmed: 'False Invalid',
      ResolvedRefs: 'False InvalidCertificateRef',
    });
  });

  it('is found in a Secret of a megabyte without a wait', () => {
    const spaces = `-----BEGIN CERTIFICATE-----${' '.repeat(1_000_000)}`;
    const start = performance.now();
    expect(withSecret(tlsSecret('infra/cert', data(btoa(spaces), btoa(KEY)))).certificates.size).toBe(0);
    expect(performance.now() - start).toBeLessThan(1000);
  });
});

describe('what stands in a Secret', () => {
  it('is in no diagnostic, also where it stands in the wrong place', () => {
    const { diagnostics } = translated([
      tlsSecret('infra/a', { data: 'hunter2' }),
      tlsSecret('infra/b', { stringData: { password: ['hunter2'] } }),
      tlsSecret('infra/c', { type: { hunter2: 'hunter2' } }),
    ]);
    expect(diagnostics).toHaveLength(3);
    expect(JSON.stringify(diagnostics)).not.toContain('hunter2');
  });
});

describe('a Secret that may not be read', () => {
  it('is said to be so, and is among those that are wanted', () => {
    const translator = new Translator({ regex: re2, classes: 'any' });
    translator.apply([{ set: gateway('infra/gw', [http('web'), https('secure', 'cert')]) }]);
    const secret = { group: '', kind: 'Secret', namespace: 'infra', name: 'cert' };
    translator.apply([{ withhold: secret, problem: 'may not be read', fix: 'grant it' }]);
    const { conditions } = listenerStatus(translator.current, 'infra/gw', 'secure');
    expect(messageOf(conditions, 'ResolvedRefs')).toBe(
      'spec.listeners[1].tls.certificateRefs[0]: Secret infra/cert may not be read. Grant it.',
    );
    expect([...translator.current.secrets.keys()]).toEqual(['infra/cert']);
    translator.apply([{ set: tlsSecret('infra/cert') }]);
    expect(brief(listenerStatus(translator.current, 'infra/gw', 'secure').conditions).Programmed).toBe(
      'True Programmed',
    );
  });

  it('that needs a ReferenceGrant is not wanted before there is one', () => {
    const objects = [gateway('infra/gw', [https('secure', { name: 'cert', namespace: 'vault' })])];
    expect([...translated(objects).secrets.keys()]).toEqual([]);
    const granted = grant('vault/g', 'Gateway', 'infra', 'Secret');
    expect([...translated([...objects, granted]).secrets.keys()]).toEqual(['vault/cert']);
  });
});
