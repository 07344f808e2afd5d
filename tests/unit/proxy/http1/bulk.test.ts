import { setImmediate } from 'node:timers/promises';
import { describe, expect, it } from '@jest/globals';
import { Bulk, type Carrier } from '../../../../gateway-runtime/proxy/engine-http1/bulk.ts';

const KIB = 1024;

describe('large bodies in one turn of the event loop', () => {
  const fail = (error: unknown) => {
    throw error;
  };
  const bulkOf = () => new Bulk(fail);
  const noting = (name: string, read: string[]): Carrier => ({
    readOn: () => read.push(name) > 0,
    fail,
  });

  it('are carried up to a bound, and the rest of them waits for other turns, in order', async () => {
    const bulk = bulkOf();
    const read: string[] = [];
    const carriers = Array.from({ length: 50 }, (_, i) => noting(String(i), read));
    const held = carriers.filter((each) => !bulk.carried(64 * KIB, each));
    expect(held).toEqual(carriers.slice(7));
    expect(read).toEqual([]);
    await setImmediate();
    expect(read).toEqual(['7', '8', '9', '10', '11', '12', '13', '14']);
    for (let turns = 0; turns < 6; turns++) await setImmediate();
    expect(read).toHaveLength(43);
  });

  it('have all of the next turn again', async () => {
    const bulk = bulkOf();
    expect(bulk.carried(2 * 1024 * KIB, noting('a', []))).toBe(false);
    await setImmediate();
    expect(bulk.carried(256 * KIB, noting('a', []))).toBe(true);
  });

  it('count for more than their octets, so that many small parts are not more work than a few large ones', () => {
    const bulk = bulkOf();
    const parts = Array.from({ length: 100 }, () => bulk.carried(1, noting('a', [])));
    expect(parts.indexOf(false)).toBe(63);
  });

  it('have less of a turn after one in which a connection came', async () => {
    const bulk = bulkOf();
    const read: string[] = [];
    for (let i = 0; i < 20; i++) bulk.carried(64 * KIB, noting(String(i), read));
    bulk.makeWay();
    await setImmediate();
    expect(read).toEqual(['7']);
    expect(bulk.carried(64 * KIB, noting('a', []))).toBe(false);
    await setImmediate();
    expect(read).toHaveLength(9);
  });

  it('have more in a turn where they carried little before, and those that are gone take none of it', async () => {
    const bulk = bulkOf();
    const read: string[] = [];
    bulk.carried(1024 * KIB, noting('first', []));
    for (let i = 0; i < 40; i++) bulk.carried(64 * KIB, { readOn: () => false, fail });
    for (let i = 0; i < 80; i++) bulk.carried(1, noting(String(i), read));
    await setImmediate();
    expect(read).toEqual([]);
    await setImmediate();
    expect(read).toHaveLength(22);
  });

  it('are in the same turns where their clients take more again', async () => {
    const bulk = bulkOf();
    const read: string[] = [];
    const going = Array.from({ length: 20 }, (_, i) => bulk.goesOn(noting(String(i), read)));
    expect(going.indexOf(false)).toBe(7);
    await setImmediate();
    expect(read).toHaveLength(8);
  });

  it('go on where one of them throws, which is told of it', async () => {
    const errors: unknown[] = [];
    const read: string[] = [];
    const bulk = bulkOf();
    const broken: Carrier = {
      readOn() {
        throw new Error('broken');
      },
      fail: (error) => void errors.push(error),
    };
    for (const each of [broken, noting('a', read)]) bulk.carried(1024 * KIB, each);
    await setImmediate();
    expect(errors).toEqual([new Error('broken')]);
    expect(read).toEqual(['a']);
  });
});
