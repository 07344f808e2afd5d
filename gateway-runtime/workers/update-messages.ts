/** An update on its way to a worker: in pieces of a bounded size, each made when the one before it has found room. */
import type { AgentOptions, AgentUpdate } from '../proxy/agent.ts';
import type { Backend, Resource, ResourceKey } from '../snapshot/snapshot.ts';
import type { Apply, Part, SharedPort, UpdateField } from './messages.ts';

/** Characters of a piece, about; no single value is larger than an object in etcd. */
const BATCH = 256 * 1024;

export function* updateMessages(
  id: number,
  { delta, ...fields }: AgentUpdate,
  ports: readonly SharedPort[],
): Generator<string> {
  for (const put of batches(delta?.put ?? [])) yield `{"type":"resources","put":[${put}]}`;
  const values: Record<string, unknown> = {};
  for (const [section, map] of Object.entries(fields)) {
    if (!(map instanceof Map)) {
      values[section] = map;
      continue;
    }
    const entries = [...map].map(([key, value]) => [key, value ?? null]);
    for (const batch of batches(entries))
      yield `{"type":"entries","section":"${section}","entries":[${batch}]}`;
  }
  const { put: _, ...snapshot } = delta ?? {};
  yield JSON.stringify({ type: 'apply', id, ...(delta ? { snapshot } : {}), values, ports });
}

/** What stands in for the backends that an update brings, or whose endpoints it changes. `resources`: with the update. */
export function* standInMessages(
  { delta, endpoints }: AgentUpdate,
  resources: ReadonlyMap<ResourceKey, Resource>,
  standInFor: NonNullable<AgentOptions['fallbackEndpoints']>,
): Generator<string> {
  const changed = [...(delta?.put ?? []), ...[...(endpoints?.keys() ?? [])].map((key) => resources.get(key))];
  const backends = new Set(changed.filter((each): each is Backend => each?.type === 'backend'));
  const entries = [...backends].map((each) => [each.key, standInFor(each)]);
  for (const batch of batches(entries)) yield `{"type":"stand-ins","entries":[${batch}]}`;
}

/** Values as JSON with commas between them, put together up to the size of a piece. */
function* batches(values: readonly unknown[]): Generator<string> {
  let text = '';
  for (const value of values) {
    text += text ? `,${JSON.stringify(value)}` : JSON.stringify(value);
    if (text.length < BATCH) continue;
    yield text;
    text = '';
  }
  if (text) yield text;
}

/** The other end: takes parts, and gives the update that they are when all of it is there. */
export class UpdateParts {
  #put: Resource[] = [];
  #maps = new Map<UpdateField, Map<string, unknown>>();

  take(part: Part): void {
    if (part.type === 'resources') {
      for (const each of part.put) this.#put.push(each);
      return;
    }
    const map = this.#maps.get(part.section) ?? new Map<string, unknown>();
    this.#maps.set(part.section, map);
    for (const [key, value] of part.entries) map.set(key, value ?? undefined);
  }

  complete({ snapshot, values }: Apply): AgentUpdate {
    const update = {
      ...(snapshot ? { delta: { ...snapshot, put: this.#put } } : {}),
      ...values,
      ...Object.fromEntries(this.#maps),
    } as AgentUpdate;
    this.#put = [];
    this.#maps = new Map();
    return update;
  }
}
