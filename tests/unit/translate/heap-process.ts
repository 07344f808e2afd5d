/** Run with --expose-gc: makes and deletes 10,000 objects, and prints what is left of them on the heap, as JSON. */
import { refOf } from '../../../gateway-runtime/api/kinds.ts';
import type { RawObject } from '../../../gateway-runtime/api/object.ts';
import { re2 } from '../../../gateway-runtime/regex/re2.ts';
import { Translator } from '../../../gateway-runtime/translate/translator.ts';
import { gateway, http, listenerSet, namespace, route, service, slice, to } from './build.ts';

const OBJECTS = 10_000;
const translator = new Translator({ regex: re2, classes: 'any', limits: { rules: 150 } });
translator.apply([
  { set: gateway('infra/gw', [http('web')], { allowedListeners: { namespaces: { from: 'All' } } }) },
]);

function* objectsOf(round: number, count: number): Generator<RawObject> {
  for (let index = 0; index < count; index += 4) {
    // Also beyond the limits of a namespace, and in namespaces that are used but once.
    const home = `round-${round}-${index % 32}`;
    const hostnames = [`h${index}.example.com`];
    yield service(`${home}/s-${index}`);
    yield slice(`${home}/s-${index}-1`, `s-${index}`, [{ addresses: ['10.0.0.1'] }]);
    yield route(`${home}/r-${index}`, 'infra/gw', [to(`s-${index}:80`), to('lost:80')], { hostnames });
    yield index % 400 === 0
      ? listenerSet(`${home}/l-${index}`, 'infra/gw', [http('own', 8080, { hostname: hostnames[0] })])
      : namespace(`${home}-${index}`, { team: home });
  }
}

/** Some of the objects, to see whether anything holds them. */
function createAndDelete(round: number, count: number): WeakRef<RawObject>[] {
  const objects = [...objectsOf(round, count)];
  for (const set of objects) translator.apply([{ set }]);
  if (translator.current.snapshots.get('infra/gw')!.resources.length < count / 8)
    throw new Error('nothing came of it');
  for (const object of objects) translator.apply([{ remove: refOf(object) }]);
  return objects.filter((_, index) => index % 100 === 0).map((object) => new WeakRef(object));
}

async function heapUsed(): Promise<number> {
  for (let turn = 0; turn < 4; turn++) {
    await new Promise(setImmediate);
    globalThis.gc!();
  }
  return process.memoryUsage().heapUsed;
}

// The first times leave compiled code and grown tables behind, which later ones use.
for (const round of [0, 1]) createAndDelete(round, OBJECTS);
const before = await heapUsed();
const some = createAndDelete(2, OBJECTS);
const after = await heapUsed();
const held = some.filter((each) => each.deref()).length;
console.log(JSON.stringify({ before, after, held, watched: some.length }));
