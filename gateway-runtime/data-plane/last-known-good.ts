/**
 * What was served last, in a folder, so that a container that restarts serves without a control plane. In a cluster the folder is
 * in memory: it outlives the process and not the pod, and the private keys in it never reach a disk. Each section is a file
 * that is named by its hash; one file says which belong together and is replaced last, so that there is always one whole state.
 */
import { createHash, type Hash } from 'node:crypto';
import { mkdir, open, readdir, rename, rm } from 'node:fs/promises';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { oneOf } from '../api/schema.ts';
import {
  checkedCertificate,
  checkedEndpoints,
  checkedResource,
  gatewayId,
  hash,
  sessionKeys,
  versionAfter,
} from '../distribution/content.ts';
import { checked, exactly } from '../distribution/exactly.ts';
import { SECTIONS, type Section } from '../distribution/messages.ts';
import { type Order, order } from '../distribution/order.ts';
import { contentHash } from '../snapshot/canonical.ts';
import { type GatewayId, gatewayKey } from '../snapshot/snapshot.ts';
import type { Content } from './serving-state.ts';

/** Files that were written by another format are not read. */
const FORMAT = 2;
const INDEX = 'last-known-good.json';
/** Bytes. */
const LARGEST_INDEX = 64 * 1024;
/** Bytes; the largest snapshots are a tenth of it. */
const LARGEST_SECTION = 512 * 1024 * 1024;
/** Milliseconds from the end of one writing to the begin of the next: pods that come and go change endpoints all the time. */
const PAUSE = 500;
/** The pause is at least this many times as long as the writing. */
const SHARE = 20;
/** Characters that are written at once. */
const PIECE = 256 * 1024;

interface Index {
  readonly format: typeof FORMAT;
  readonly gateway: GatewayId;
  readonly order: Order;
  readonly version: string;
  /** SHA-256 of the section's file, which is named by it. */
  readonly resources: string;
  readonly endpoints: string;
  readonly certificates: string;
  readonly sessionKeys: readonly string[];
  /** Of all the rest of this. */
  readonly hash: string;
}

const indexSchema = exactly<Index>({
  format: oneOf([FORMAT]),
  gateway: gatewayId,
  order,
  version: hash(),
  resources: hash(),
  endpoints: hash(),
  certificates: hash(),
  sessionKeys,
  hash: hash(),
});

export interface LastKnownGoodOptions {
  /** Made where it is not there. */
  readonly folder: string;
  readonly gateway: GatewayId;
  /** What could not be written, as a sentence; told once until it works again. */
  readonly onProblem: (message: string) => void;
}

export class LastKnownGood {
  readonly #options: LastKnownGoodOptions;
  /** Hash of the file of a section, by the map that was written: a section that did not change is not written again. */
  readonly #written = new WeakMap<object, string>();
  #next: Content | undefined;
  #running: Promise<void> | undefined;
  readonly #closing = new AbortController();
  #problem = '';

  constructor(options: LastKnownGoodOptions) {
    this.#options = options;
  }

  /** What was kept; undefined where there is nothing. Throws, with a sentence, where there is something that can't be trusted. */
  async load(): Promise<Content | undefined> {
    const { gateway } = this.#options;
    const text = await this.#read(INDEX, LARGEST_INDEX);
    if (text === undefined) return undefined;
    const index = checked(indexSchema, json(text, INDEX), INDEX);
    const { hash: told, ...rest } = index;
    if (contentHash(rest) !== told) throw new Error(`${INDEX}: expected its content to have its hash`);
    if (gatewayKey(index.gateway) !== gatewayKey(gateway)) {
      throw new Error(`found the Gateway ${gatewayKey(index.gateway)}, expected ${gatewayKey(gateway)}`);
    }
    const resources = (await this.#section(index, 'resources')).map(checkedResource);
    const version = versionAfter(undefined, [], resources);
    if (version !== index.version) {
      throw new Error(`found resources of version ${version}, expected those of ${index.version}`);
    }
    const endpoints = (await this.#section(index, 'endpoints')).map(checkedEndpoints);
    const certificates = (await this.#section(index, 'certificates')).map(checkedCertificate);
    const content: Content = {
      order: index.order,
      version,
      resources: new Map(resources.map((each) => [each.key, each])),
      endpoints: new Map(endpoints.map((each) => [each.backend, each])),
      certificates: new Map(certificates.map((each) => [each.id, each])),
      sessionKeys: index.sessionKeys,
    };
    for (const section of SECTIONS) this.#written.set(content[section], index[section]);
    return content;
  }

  /** To be written soon; of several the last. */
  save(content: Content): void {
    if (this.#closing.signal.aborted) return;
    this.#next = content;
    this.#running ??= this.#run();
  }

  /** Resolves when what was given last is written, or could not be. */
  async close(): Promise<void> {
    this.#closing.abort();
    await this.#running;
  }

  async #run(): Promise<void> {
    const { signal } = this.#closing;
    while (this.#next) {
      const content = this.#next;
      this.#next = undefined;
      const began = performance.now();
      const problem = await this.#write(content).then(
        () => '',
        ({ code, message }: NodeJS.ErrnoException) =>
          `${this.#options.folder} can't be written (${code ?? message})`,
      );
      if (problem && problem !== this.#problem) this.#options.onProblem(problem);
      this.#problem = problem;
      const pause = Math.max(PAUSE, SHARE * (performance.now() - began));
      await sleep(pause, undefined, { signal, ref: false }).catch(() => {});
    }
    this.#running = undefined;
  }

  async #write(content: Content): Promise<void> {
    const { folder, gateway } = this.#options;
    await mkdir(folder, { recursive: true, mode: 0o700 });
    const rest = {
      format: FORMAT,
      gateway: { namespace: gateway.namespace, name: gateway.name },
      order: content.order,
      version: content.version,
      resources: await this.#writeSection('resources', content.resources),
      endpoints: await this.#writeSection('endpoints', content.endpoints),
      certificates: await this.#writeSection('certificates', content.certificates),
      sessionKeys: content.sessionKeys,
    } as const;
    const index: Index = { ...rest, hash: contentHash(rest) };
    await rename(await this.#writeNew(INDEX, [JSON.stringify(index)]), join(folder, INDEX));
    const kept = new Set([INDEX, ...SECTIONS.map((section) => fileOf(section, index[section]))]);
    for (const file of await readdir(folder)) {
      if (OWN_FILE.test(file) && !kept.has(file)) await rm(join(folder, file), { force: true });
    }
  }

  async #writeSection(section: Section, values: ReadonlyMap<string, unknown>): Promise<string> {
    const known = this.#written.get(values);
    if (known !== undefined) return known;
    const digest = createHash('sha256');
    const path = await this.#writeNew(section, pieces(values, digest));
    const hash = digest.digest('hex');
    await rename(path, join(this.#options.folder, fileOf(section, hash)));
    this.#written.set(values, hash);
    return hash;
  }

  /** Gives the path of what is not in its place yet. */
  async #writeNew(name: string, texts: Iterable<string>): Promise<string> {
    const path = join(this.#options.folder, `${name}.new`);
    const file = await open(path, 'w', 0o600);
    try {
      await file.chmod(0o600);
      for (const text of texts) await file.writeFile(text);
    } finally {
      await file.close();
    }
    return path;
  }

  async #section(index: Index, section: Section): Promise<unknown[]> {
    const name = fileOf(section, index[section]);
    const text = await this.#read(name, LARGEST_SECTION);
    if (text === undefined || sha256(text) !== index[section]) {
      throw new Error(`${name}: expected it to be there and its content to have its hash`);
    }
    const value = json(text, name);
    if (!Array.isArray(value)) throw new Error(`${name}: expected a list`);
    return value;
  }

  async #read(name: string, largest: number): Promise<string | undefined> {
    let file: Awaited<ReturnType<typeof open>>;
    try {
      file = await open(join(this.#options.folder, name), 'r');
    } catch (error) {
      const { code } = error as NodeJS.ErrnoException;
      if (code === 'ENOENT') return undefined;
      throw new Error(`${name} can't be read (${code})`);
    }
    try {
      const { size } = await file.stat();
      if (size > largest) throw new Error(`${name}: found ${size} bytes, expected at most ${largest}`);
      return await file.readFile('utf8');
    } finally {
      await file.close();
    }
  }
}

const fileOf = (section: Section, hash: string) => `${section}-${hash}.json`;
const OWN_FILE = new RegExp(`^(${SECTIONS.join('|')})-[0-9a-f]{64}\\.json$`);

/** A list as JSON, little by little: requests do not wait for all of it. */
function* pieces(values: ReadonlyMap<string, unknown>, digest: Hash): Generator<string> {
  let text = '[';
  for (const value of values.values()) {
    const json = JSON.stringify(value);
    text += text === '[' ? json : `,${json}`;
    if (text.length < PIECE) continue;
    digest.update(text);
    yield text;
    text = '';
  }
  text += ']';
  digest.update(text);
  yield text;
}

const sha256 = (text: string) => createHash('sha256').update(text).digest('hex');

function json(text: string, name: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    // The parser's message quotes what it was given, which may be a key.
    throw new Error(`${name}: expected JSON`);
  }
}
