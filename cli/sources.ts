/** What the paths of a command line stand for: manifests, folders of them, and apps; read into one set of objects. */
import { existsSync } from 'node:fs';
import { stat } from 'node:fs/promises';
import { basename, extname, join, resolve, sep } from 'node:path';
import type { RawObject } from '../gateway-runtime/api/object.ts';
import {
  findManifests,
  isManifest,
  PathError,
  readManifest,
  shownPath,
} from '../gateway-runtime/control/files.ts';
import { ObjectSet, type ReadPart } from '../gateway-runtime/control/object-set.ts';
import { readObject } from '../gateway-runtime/control/read-object.ts';
import type { SourcedObject, SourceProblem } from '../gateway-runtime/control/source.ts';
import type { Diagnostic } from '../gateway-runtime/snapshot/diagnostic.ts';
import { AppError, AppProcess, type AppProcessOptions, Superseded } from './app/app-process.ts';
import type { AppObject, AppProblem, Place } from './app/messages.ts';
import { CommandError, EXIT } from './terminal.ts';

/** Nothing is known of the app yet, so what was known stays. */
const SUPERSEDED: ReadPart = { objects: [], problems: [], broken: true };
const APP_EXTENSIONS = new Set(['.ts', '.mts', '.js', '.mjs', '.cjs', '.cts']);

const APP_NAMES = ['app', 'main', 'index'].flatMap((name) => [...APP_EXTENSIONS].map((each) => name + each));

/** Whether a path is a module that makes objects, and not a manifest. */
export function isApp(path: string): boolean {
  return APP_EXTENSIONS.has(extname(path));
}

/** What reading brought, apart from the objects. */
export interface SourceReport {
  readonly problems: readonly SourceProblem[];
  /** Objects of well-known kinds that serving has no use for, counted by kind. */
  readonly passedOver: ReadonlyMap<string, number>;
  /** The apps that were loaded. */
  readonly apps: readonly string[];
  /** Those of them that could not be loaded. */
  readonly brokenApps: readonly string[];
  /** A newer edit of an app came before it was loaded: it is read again. */
  readonly superseded: boolean;
}

export class Sources {
  readonly objects = new ObjectSet();
  readonly #manifests = new Set<string>();
  /** Those that the command line names one by one. */
  readonly #named = new Set<string>();
  readonly #folders: string[] = [];
  readonly #appsInFolders: string[] = [];
  readonly #apps = new Map<string, { readonly process: AppProcess; files: Set<string> }>();

  /** Throws a CommandError where a path can't be used. Reads nothing yet. */
  static async of(paths: readonly string[], apps: AppProcessOptions): Promise<Sources> {
    const sources = new Sources();
    for (const path of paths) {
      try {
        await sources.#add(path, apps);
      } catch (error) {
        if (error instanceof PathError) throw new CommandError(`error ${error.message}.`, EXIT.usage);
        throw error;
      }
    }
    return sources;
  }

  private constructor() {}

  /** What to do where no source has a Gateway, without a full stop. */
  get whatToName(): string {
    const [app] = this.#appsInFolders;
    return app ? `The folder has an app, so name that: ${app}` : 'Name the files with a Gateway too';
  }

  get apps(): readonly string[] {
    return [...this.#apps.keys()];
  }

  /** Reads everything. `tolerant`: also what an app would give whose checks fail. */
  read({ tolerant = false } = {}): Promise<SourceReport> {
    return this.#read([...this.#manifests], [...this.#apps.keys()], tolerant);
  }

  /** Those of these files that are read: manifests, and modules of apps. */
  ours(changed: Iterable<string>): ReadonlySet<string> {
    return new Set([...changed].filter((path) => this.#isManifest(path) || this.#appsOf([path]).size > 0));
  }

  /** Reads what an edit of these files changed. */
  readChanged(changed: ReadonlySet<string>): Promise<SourceReport> {
    const manifests = [...changed].filter((path) => this.#isManifest(path));
    return this.#read(manifests, [...this.#appsOf(changed).keys()]);
  }

  /** The apps that these files belong to. */
  appsOf(files: Iterable<string>): readonly string[] {
    return [...this.#appsOf(files).keys()];
  }

  /** Stops loading apps that these files belong to: they are about to be read again. */
  supersede(changed: Iterable<string>): void {
    const paths = [...changed];
    const isPackage = paths.some((path) => basename(path) === 'package.json');
    for (const { process } of this.#appsOf(paths).values()) {
      // The processes that wait for the next edit have read that file already.
      if (isPackage) process.close();
      else process.supersede();
    }
  }

  /** What to watch: files, folders and the modules of apps. */
  watched(): string[] {
    const modules = [...this.#apps.values()].flatMap(({ files }) => [...files]);
    return [...new Set([...this.#folders, ...this.#manifests, ...modules])];
  }

  /** Has a process wait for the next edit of each app. */
  warm(): void {
    for (const { process } of this.#apps.values()) process.warm();
  }

  close(): void {
    for (const { process } of this.#apps.values()) process.close();
  }

  #isManifest(path: string): boolean {
    const inFolder = this.#folders.some((folder) => path.startsWith(folder));
    return this.#manifests.has(path) || (inFolder && isManifest(path));
  }

  #appsOf(changed: Iterable<string>) {
    const paths = [...changed];
    return new Map([...this.#apps].filter(([, { files }]) => paths.some((path) => files.has(path))));
  }

  async #add(path: string, apps: AppProcessOptions): Promise<void> {
    const absolute = resolve(path);
    const isFolder = (await stat(absolute).catch(() => undefined))?.isDirectory();
    if (!isFolder && isApp(path)) {
      if (!(await stat(absolute).catch(() => undefined))) throw new PathError(`${path}: no such file`);
      this.#apps.set(absolute, { process: new AppProcess(absolute, apps), files: new Set([absolute]) });
      return;
    }
    const found = await findManifests(path);
    if (isFolder) {
      this.#folders.push(absolute + sep);
      const app = APP_NAMES.map((name) => join(path, name)).find((file) => existsSync(file));
      if (app) this.#appsInFolders.push(app);
      if (found.length === 0) {
        const instead = app ? `: it has an app, so name that, ${app}` : '';
        throw new PathError(`${path}: no *.yaml, *.yml or *.json in this folder${instead}`);
      }
    }
    for (const file of found) {
      this.#manifests.add(file);
      if (!isFolder) this.#named.add(file);
    }
  }

  async #read(
    manifests: readonly string[],
    apps: readonly string[],
    tolerant = false,
  ): Promise<SourceReport> {
    const problems: SourceProblem[] = [];
    const passedOver = new Map<string, number>();
    const count = (kind: string, times: number) => passedOver.set(kind, (passedOver.get(kind) ?? 0) + times);
    const loading = apps.map((path) => this.#readApp(path, tolerant, count));
    for (const path of manifests) {
      const read = await readManifest(path, { inFolder: !this.#named.has(path) });
      if (!read) {
        this.objects.remove(path);
        continue;
      }
      for (const [kind, times] of read.passedOver) count(kind, times);
      problems.push(...read.problems, ...this.objects.put(path, read));
    }
    const loaded = await Promise.all(loading);
    for (const [index, part] of loaded.entries()) {
      problems.push(...part.problems, ...this.objects.put(apps[index]!, part));
    }
    return {
      problems,
      passedOver,
      apps,
      brokenApps: apps.filter((_, index) => loaded[index]!.broken),
      superseded: loaded.includes(SUPERSEDED),
    };
  }

  async #readApp(
    path: string,
    tolerant: boolean,
    count: (kind: string, times: number) => void,
  ): Promise<ReadPart> {
    const app = this.#apps.get(path)!;
    try {
      const { objects, warnings, files } = await app.process.load();
      for (const file of files) app.files.add(file);
      const part = readAppObjects(objects, shownPath(path), count);
      return {
        ...part,
        problems: [...part.problems, ...warnings.map((each) => appProblem(each, path, 'warning'))],
      };
    } catch (error) {
      if (error instanceof Superseded) return SUPERSEDED;
      if (!(error instanceof AppError)) throw error;
      for (const file of error.files) app.files.add(file);
      const problems = error.problems.map((each) => appProblem(each, path));
      if (!tolerant || !error.objects) return { objects: [], problems, broken: true };
      const part = readAppObjects(error.objects, shownPath(path), count);
      return { ...part, problems: [...problems, ...part.problems] };
    }
  }
}

/** Without the warnings of an app's synth that say again what a diagnostic says. */
export function unrepeated(
  problems: readonly SourceProblem[],
  diagnostics: Iterable<Diagnostic>,
): SourceProblem[] {
  const said = [...diagnostics].map(({ message }) => message);
  return problems.filter(
    ({ severity, message }) => severity !== 'warning' || !said.some((text) => message.includes(text)),
  );
}

function readAppObjects(
  objects: readonly AppObject[],
  file: string,
  count: (kind: string, times: number) => void,
): ReadPart {
  const read: SourcedObject[] = [];
  const problems: SourceProblem[] = [];
  for (const { json, path, place, parts = {} } of objects) {
    const origin = `${place ? shownPlace(place) : file} ${path}`;
    const result = readObject(JSON.parse(json) as RawObject, origin, () => ({ file: origin }));
    const named = Object.entries(parts).map(
      ([name, part]) => [name, `${shownPlace(part.place)} ${part.path}`] as const,
    );
    if (result.object)
      read.push(named.length > 0 ? { ...result.object, parts: new Map(named) } : result.object);
    if (result.passedOver) count(result.passedOver, 1);
    problems.push(...(result.problems ?? []));
  }
  return { objects: read, problems, broken: false };
}

const shownPlace = ({ file, line }: Place) => `${shownPath(file)}:${line}`;

export function appProblem(
  { message, construct, file, line }: AppProblem,
  app: string,
  severity: SourceProblem['severity'] = 'error',
): SourceProblem {
  const shown = shownPath(file ?? app);
  return {
    severity,
    // The line goes with the file, and the construct after both.
    ...(construct === undefined
      ? { file: shown, ...(line === undefined ? {} : { line }) }
      : { file: `${shown}${line === undefined ? '' : `:${line}`} ${construct}`, construct }),
    message: message.replace(/\.$/, ''),
  };
}
