import { describe, expect, it } from '@jest/globals';
import { HeaderFields } from '../../../gateway-runtime/proxy/header-fields.ts';
import { forwardableTrailers, withoutHopByHop } from '../../../gateway-runtime/proxy/hop-by-hop.ts';

const fields = () => new HeaderFields(['Host', 'a', 'X-One', '1', 'x-ONE', '2', 'X-Two', '3']);

describe('HeaderFields', () => {
  it('finds by name without case, values joined', () => {
    expect(fields().get('x-one')).toBe('1, 2');
    expect(fields().get('X-TWO')).toBe('3');
    expect(fields().get('x-on')).toBeUndefined();
    expect(fields().get('__proto__')).toBeUndefined();
  });

  it('sets in place of all of a name', () => {
    const head = fields();
    head.set('X-one', 'new');
    expect(head.raw).toEqual(['Host', 'a', 'X-Two', '3', 'X-one', 'new']);
  });

  it('adds beside, and removes all', () => {
    const head = fields();
    head.add('X-Two', '4');
    head.remove('X-ONE');
    expect(head.raw).toEqual(['Host', 'a', 'X-Two', '3', 'X-Two', '4']);
    head.remove('x-missing');
    expect(head.get('x-two')).toBe('3, 4');
  });

  it('removes by a test of the lower-case name', () => {
    const head = fields();
    head.removeIf('x', (name) => name.startsWith('x-'));
    expect(head.raw).toEqual(['Host', 'a']);
  });
});

describe('fields of one hop', () => {
  it('are left out, and those that Connection lists in any of its fields', () => {
    expect(
      withoutHopByHop([
        ...['Connection', 'x-a ,X-B,', 'X-A', '1', 'connection', 'x-c', 'X-C', '1', 'x-b', '2'],
        ...['Keep-Alive', 'timeout=1', 'TE', 'trailers', 'Upgrade', 'h2c', 'X-D', '4'],
      ]),
    ).toEqual(['X-D', '4']);
  });

  it('do not include what a message needs, whatever Connection lists', () => {
    const kept = [
      'Host',
      'a',
      'Content-Length',
      '1',
      'Authorization',
      'x',
      'Cookie',
      'y',
      'X-Forwarded-For',
      'z',
    ];
    const names = kept.filter((_, index) => index % 2 === 0);
    expect(withoutHopByHop(['Connection', names.join(), ...kept])).toEqual(kept);
  });
});

describe('trailers', () => {
  it('that would change a message are left out, in every spelling', () => {
    expect(
      forwardableTrailers([
        ...[
          'Grpc-Status',
          '0',
          'Content-Length',
          '1',
          'Transfer-Encoding',
          'chunked',
          'HOST',
          'b',
          'Cookie',
          'c',
        ],
        ...['X_Forwarded_For', '1', 'x-real-ip', '2', 'Set-Cookie', 'd', 'X-Sum', '3'],
      ]),
    ).toEqual([
      ['Grpc-Status', '0'],
      ['X-Sum', '3'],
    ]);
  });
});
