import { describe, expect, it } from '@jest/globals';
import { ObjectSet, type ReadPart } from '../../../gateway-runtime/control/object-set.ts';
import type { SourcedObject, SourceProblem } from '../../../gateway-runtime/control/source.ts';

const service = (name: string, origin: string, port = 80): SourcedObject => ({
  ref: { group: '', kind: 'Service', namespace: 'shop', name },
  raw: {
    apiVersion: 'v1',
    kind: 'Service',
    metadata: { name, namespace: 'shop' },
    spec: { ports: [{ port }] },
  },
  origin,
});
const part = (objects: SourcedObject[], problems: SourceProblem[] = [], broken = false): ReadPart => ({
  objects,
  problems,
  broken,
});
const names = (set: ObjectSet) =>
  set
    .take()
    .map((change) =>
      'set' in change ? `+${(change.set.metadata as { name: string }).name}` : `-${change.remove.name}`,
    );

describe('ObjectSet', () => {
  it('gives out what changed, once', () => {
    const set = new ObjectSet();
    set.put('a.yaml', part([service('cart', 'a'), service('media', 'a')]));
    expect(names(set)).toEqual(['+cart', '+media']);
    set.put('a.yaml', part([service('cart', 'a'), service('media', 'a', 81)]));
    expect(names(set)).toEqual(['+media']);
    set.put('a.yaml', part([service('cart', 'a')]));
    expect(names(set)).toEqual(['-media']);
    set.remove('a.yaml');
    expect(names(set)).toEqual(['-cart']);
    expect(names(set)).toEqual([]);
  });

  it('keeps the last good form of what was refused or could not be read', () => {
    const set = new ObjectSet();
    set.put('a.yaml', part([service('cart', 'a'), service('media', 'a')]));
    names(set);
    const refused: SourceProblem = {
      severity: 'error',
      file: 'a',
      message: 'x',
      object: service('cart', 'a').ref,
    };
    set.put('a.yaml', part([service('media', 'a', 81)], [refused]));
    expect(names(set)).toEqual(['+media']);
    set.put('a.yaml', part([], [], true));
    expect(names(set)).toEqual([]);
    set.put('a.yaml', part([]));
    expect(names(set)).toEqual(['-media', '-cart']);
  });

  it('keeps what a file had that is blank now, and says so', () => {
    const set = new ObjectSet();
    const emptied: SourceProblem = { severity: 'error', file: 'a', message: 'empty' };
    expect(set.put('a.yaml', { ...part([]), emptied })).toEqual([]);
    set.put('a.yaml', part([service('cart', 'a')]));
    names(set);
    for (let times = 0; times < 2; times++) {
      expect(set.put('a.yaml', { ...part([]), emptied })).toEqual([emptied]);
      expect(names(set)).toEqual([]);
    }
    expect(set.has(service('cart', 'a').ref)).toBe(true);
  });

  it('takes the first of two that have one name, whatever was read first, and says so', () => {
    const set = new ObjectSet();
    expect(set.put('b.yaml', part([service('cart', 'b.yaml', 2)]))).toEqual([]);
    set.put('a.yaml', part([service('cart', 'a.yaml', 1)]));
    const problems = set.put('b.yaml', part([service('cart', 'b.yaml', 2)]));
    expect(problems.map(({ file, message }) => `${file}: ${message}`)).toEqual([
      'b.yaml: defined already in a.yaml, which is used',
    ]);
    expect(set.origin(service('cart', '').ref)).toBe('a.yaml');
    expect([...set.objects()].map(({ origin }) => origin)).toEqual(['a.yaml']);
    names(set);
    set.remove('a.yaml');
    expect(set.take()).toEqual([{ set: service('cart', 'b', 2).raw }]);
  });

  it('reports a name that stands twice in one part', () => {
    const set = new ObjectSet();
    const problems = set.put(
      'a.yaml',
      part([service('cart', 'a.yaml document 1'), service('cart', 'a.yaml document 2', 2)]),
    );
    expect(problems.map(({ file, message }) => `${file}: ${message}`)).toEqual([
      'a.yaml document 2: defined already in a.yaml document 1, which is used',
    ]);
  });
});
