/**
 * The process that runs an app, once. It imports the app's own copies of the libraries first and waits, so that a saved
 * edit costs only the app's own modules. What the app does to its process (exit, chdir, a loop) harms nobody else.
 */
import { readFileSync } from 'node:fs';
import { createRequire, findPackageJSON, registerHooks } from 'node:module';
import { basename, dirname, sep } from 'node:path';
import { fileURLToPath, pathToFileURL } from 'node:url';
import type * as Constructs from '../../constructs/index.ts';
import { describeError } from './app-error.ts';
import { inApplyOrder } from './apply-order.ts';
import type { AppObject, AppProblem, AppReply, LoadRequest } from './messages.ts';
import { Places } from './places.ts';

/** The parts of cdk8s that are used; the app may bring any copy of it. */
interface CdkApp {
  outdir: string;
  synth(): void;
  synthYaml(): string;
}

const OWN_ROOT = dirname(dirname(dirname(fileURLToPath(import.meta.url)))) + sep;
const OWN_FOLDERS = [OWN_ROOT, ...otherCheckout()].flatMap((root) =>
  ['cli', 'constructs', 'gateway-runtime'].map((folder) => `${root}${folder}${sep}`),
);
const LIBRARIES = ['constructs', 'cdk8s', 'cdk8s-plus-25', 'gatewright'];

const files = new Set<string>();
const isOwn = (file: string) =>
  !file.includes(`${sep}node_modules${sep}`) && !OWN_FOLDERS.some((folder) => file.startsWith(folder));

/** An app within a checkout of this package, such as that of another revision, has its libraries from there. */
function otherCheckout(): string[] {
  const found = findPackageJSON(pathToFileURL(process.argv[2]!));
  // Node names the file itself where no folder above it has one.
  if (found === undefined || basename(found) !== 'package.json') return [];
  const { name } = JSON.parse(readFileSync(found, 'utf8')) as { name?: unknown };
  return name === 'gatewright' ? [dirname(found) + sep] : [];
}

/** Files that were asked for and not found belong to the app too: creating one is an edit. */
registerHooks({
  resolve(specifier, context, next) {
    if (/^\.{0,2}\//.test(specifier) && context.parentURL?.startsWith('file:')) {
      remember(new URL(specifier, context.parentURL).href);
    }
    const resolved = next(specifier, context);
    remember(resolved.url);
    return resolved;
  },
});

function remember(url: string): void {
  if (!url.startsWith('file:')) return;
  const file = fileURLToPath(url);
  if (isOwn(file)) files.add(file);
}

function send(reply: AppReply): Promise<void> {
  return new Promise((resolve) => process.send!(reply, () => resolve()));
}

/** Everything the app printed before its result, then the result, then the end, whatever timers it left behind. */
async function finish(reply: AppReply): Promise<never> {
  process.channel?.ref();
  await new Promise((resolve) => process.stdout.write('', resolve));
  await new Promise((resolve) => process.stderr.write('', resolve));
  await send(reply);
  process.exit();
}

function fail(error: unknown): Promise<never> {
  const problem = describeError(error, isOwn, files);
  // Where it is to be mended, which need not be a module.
  if (problem.file !== undefined && isOwn(problem.file)) files.add(problem.file);
  return finish({ type: 'failed', problems: [problem], files: [...files] });
}

async function importLibraries(app: string): Promise<void> {
  const require = createRequire(app);
  for (const name of LIBRARIES) {
    try {
      const library = (await import(pathToFileURL(require.resolve(name)).href)) as object;
      // cdk8s-plus loads each of its modules when it is first asked for.
      for (const exported of Object.keys(library)) Reflect.get(library, exported);
    } catch {
      // An app need not have all of them; those it imports and lacks, it reports itself.
    }
  }
}

/** Apps whose synth was called by the app itself, which is kept from writing files: that is for `gatewright synth`. */
function captureSynth(app: string): { captured: CdkApp[]; synth: (app: CdkApp) => void } {
  const captured: CdkApp[] = [];
  let prototype: { synth(): void };
  try {
    ({ prototype } = (createRequire(app)('cdk8s') as { App: { prototype: { synth(): void } } }).App);
  } catch {
    return { captured, synth: (each) => each.synth() };
  }
  const original = prototype.synth;
  prototype.synth = function (this: CdkApp) {
    if (!captured.includes(this)) captured.push(this);
  };
  return {
    captured,
    // By way of the app, which checks itself once for all of its charts.
    synth: (each) => {
      prototype.synth = original;
      each.synth();
    },
  };
}

function isApp(value: unknown): value is CdkApp {
  return typeof value === 'object' && value !== null && 'synthYaml' in value && 'node' in value;
}

/** The app's own copy of this package, whose constructs it is made of; ours for an app of plain cdk8s. */
async function constructsOf(app: string): Promise<typeof Constructs> {
  try {
    return await import(pathToFileURL(createRequire(app).resolve('gatewright')).href);
  } catch {
    return import('../../constructs/index.ts');
  }
}

/** Of whichever copy of this package. */
function isSynthError(error: unknown): error is Constructs.SynthError {
  return error instanceof Error && error.name === 'SynthError' && 'errors' in error;
}

/** Nothing is left that could go on, and the app has not come to its end. */
function stuck(): void {
  const message =
    'the app waits for something that never comes: an await at its top level that nothing settles';
  void finish({ type: 'failed', problems: [{ message }], files: [...files] });
}

async function load({ load: path, synth: output }: LoadRequest): Promise<void> {
  // So that this process can run out of work, and say so, while the command line waits.
  process.channel?.unref();
  process.once('beforeExit', stuck);
  remember(pathToFileURL(path).href);
  const { captured, synth } = captureSynth(path);
  const module = (await import(pathToFileURL(path).href)) as { default?: unknown };
  const exported = await module.default;
  const apps = isApp(exported) ? [exported] : captured;
  if (apps.length === 0) {
    const message = 'no app: export it (export default app), or call its synth()';
    return finish({ type: 'failed', problems: [{ message }], files: [...files] });
  }
  const { synthesize, objectsOf } = await constructsOf(path);
  const loaded = apps.map((each) => ({ app: each as never, placeOf: places.of(each as never) }));
  const asJson = (objects: readonly Constructs.AppObject[], placeOf: PlaceOf): AppObject[] =>
    objects.map(({ object, path: construct }) => {
      const place = placeOf(construct);
      const parts = grantsOf(object, construct, placeOf);
      return {
        json: JSON.stringify(object),
        path: construct,
        ...(place ? { place } : {}),
        ...(parts ? { parts } : {}),
      };
    });
  let synthesized: { synthesis: Constructs.Synthesis; placeOf: PlaceOf }[];
  try {
    synthesized = loaded.map(({ app, placeOf }) => ({ synthesis: synthesize(app), placeOf }));
  } catch (error) {
    if (!isSynthError(error)) throw error;
    const placeOf: PlaceOf = (construct, message) =>
      loaded.map((each) => each.placeOf(construct, message)).find((place) => place !== undefined);
    const problems = error.errors.map((each) => placed(each, placeOf));
    const objects = loaded.flatMap(({ app, placeOf: ofApp }) => asJson(objectsOf(app), ofApp));
    return finish({ type: 'failed', problems, objects, files: [...files] });
  }
  const warnings = synthesized.flatMap(({ synthesis, placeOf }) =>
    synthesis.warnings.map((each) => placed(each, placeOf)),
  );
  const text = withoutWarnings(warnings, () => write(output, apps, synth));
  await finish({
    type: 'loaded',
    objects: synthesized.flatMap(({ synthesis, placeOf }) => asJson(synthesis.objects, placeOf)),
    warnings,
    ...(text === undefined ? {} : { text }),
    files: [...files],
  });
}

/** Writes the objects as cdk8s does, or gives them as text. */
function write(
  output: LoadRequest['synth'],
  apps: readonly CdkApp[],
  synth: (app: CdkApp) => void,
): string | undefined {
  if (output === undefined) return undefined;
  if (output === 'text') return inApplyOrder(apps.map((each) => each.synthYaml()).join('---\n'));
  for (const each of apps) {
    each.outdir = output.folder;
    synth(each);
  }
  return undefined;
}

/** An app that is synthesized prints its warnings itself; here they go with the reply, which knows their lines. */
function withoutWarnings<T>(warnings: readonly AppProblem[], work: () => T): T {
  const lines = new Set(warnings.map(({ construct = '', message }) => `warning [${construct}] ${message}\n`));
  const { stderr } = process;
  const original = stderr.write;
  stderr.write = ((...args: Parameters<typeof stderr.write>) =>
    lines.has(args[0] as string) || original.apply(stderr, args)) as typeof stderr.write;
  try {
    return work();
  } finally {
    stderr.write = original;
  }
}

type PlaceOf = ReturnType<Places['of']>;

/** Where each grant of a Grant was made, which is one object for all that a team has of a gateway. */
function grantsOf(
  object: Constructs.AppObject['object'],
  construct: string,
  placeOf: PlaceOf,
): AppObject['parts'] | undefined {
  if (object.kind !== 'Grant') return undefined;
  const { grants = [] } = (object.spec ?? {}) as { grants?: readonly { name: string }[] };
  const gateway = construct.split('/').slice(0, -2).join('/');
  const made = grants.flatMap(({ name }) => {
    const path = `${gateway}/${name}`;
    const place = placeOf(path);
    return place ? [[name, { path, place }] as const] : [];
  });
  return Object.fromEntries(made);
}

function placed(
  { path: construct, message }: { path: string; message: string },
  placeOf: PlaceOf,
): AppProblem {
  return { message, ...(construct ? { construct, ...placeOf(construct, message) } : {}) };
}

// Of an app that Node reads as a script, the error says what to do.
const showWarning = process.listeners('warning');
process.removeAllListeners('warning');
process.on('warning', (warning) => {
  if (warning.message.startsWith('Failed to load the ES module: ')) return;
  for (const show of showWarning) show(warning);
});
process.on('uncaughtException', fail);
process.on('unhandledRejection', fail);
// The command line is gone: nobody will ask.
process.on('disconnect', () => process.exit());

const [, , app] = process.argv;
// Deep in libraries, the user's line is further up than the ten frames that are kept otherwise.
Error.stackTraceLimit = 100;
const places = new Places(isOwn);
const warm = importLibraries(app!).then(() =>
  // An app that lacks the libraries has no constructs to place, and says so itself.
  places.listen(app!, () => constructsOf(app!)).catch(() => {}),
);
process.once('message', (request: LoadRequest) => {
  warm.then(() => load(request)).catch(fail);
});
await warm;
await send({ type: 'warm' });
