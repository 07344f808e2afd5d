import { describe, expect, it } from '@jest/globals';
import { Conditions, codeOf, sentence, sentences } from '../../../gateway-runtime/translate/findings.ts';

describe('findings', () => {
  it.each([
    ['route', 'BackendNotFound', 'route/backend-not-found'],
    ['listener', 'InvalidCACertificateRef', 'listener/invalid-ca-certificate-ref'],
    ['gateway', 'Invalid', 'gateway/invalid'],
  ])('%s %s has the code %s', (subject, reason, code) => {
    expect(codeOf(subject, reason)).toBe(code);
  });

  it('are sentences: field, what was found, what to do', () => {
    const finding = { reason: 'Invalid' as const, field: 'spec.a', message: 'found b', fix: 'write c' };
    expect(sentence(finding)).toBe('spec.a: found b. Write c.');
    expect(sentence({ reason: 'Invalid' as const, message: 'found b' })).toBe('found b.');
  });

  it('are shortened where there are many', () => {
    const many = Array.from({ length: 20 }, (_, index) => ({
      reason: 'Invalid' as const,
      message: `m${index}`,
    }));
    expect(sentences(many)).toBe('m0. m1. m2. m3. m4. m5. m6. m7. And 12 more.');
  });

  it('fit into a condition however long they are', () => {
    const { list } = new Conditions(1).add('Accepted', 'False', 'Invalid', 'x'.repeat(40_000));
    expect(list[0]!.message.length).toBeLessThan(32_768);
  });
});
