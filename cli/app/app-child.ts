/**
 * The process that runs an app, once. It imports the app's own copies of the libraries first and waits, so that a saved
 * edit costs only the app's own modules. What the app does to its process (exit, chdir, a loop) harms nobody else.
 */
import { createRequire, registerHooks } from 'node:module';
import { dirname, sep } from 'node:path';
import { fileURLToPath, pathToFileURL } from 'node:url';
import type * as Constructs from '../../constructs/index.ts';
import { describeError } from './app-error.ts';
import { inApplyOrder } from './apply-order.ts';
import type { AppObject, AppReply, LoadRequest } from './messages.ts';

/** The parts of cdk8s that are used; the app may bring any copy of it. */
interface CdkApp {
  outdir: string;
  synth(): void;
  synthYaml(): string;
}

const OWN_ROOT = dirname(dirname(dirname(fileURLToPath(import.meta.url)))) + sep;
const OWN_FOLDERS = ['cli', 'constructs', 'gateway-runtime'].map((folder) => `${OWN_ROOT}${folder}${sep}`);
const LIBRARIES = ['constructs', 'cdk8s', 'cdk8s-plus-25', 'gatewright'];

const files = new Set<string>();
const isOwn = (file: string) =>
  !file.includes(`${sep}node_modules${sep}`) && !OWN_FOLDERS.some((folder) => file.startsWith(folder));

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
  await new Promise((resolve) => process.stdout.write('', resolve));
  await new Promise((resolve) => process.stderr.write('', resolve));
  await send(reply);
  process.exit();
}

function fail(error: unknown): Promise<never> {
  return finish({ type: 'failed', problems: [describeError(error, isOwn)], files: [...files] });
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
  return { captured, synth: (each) => original.call(each) };
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

const asJson = ({ object, path }: Constructs.AppObject): AppObject => ({
  json: JSON.stringify(object),
  path,
});

/** Of whichever copy of this package. */
function isSynthError(error: unknown): error is Constructs.SynthError {
  return error instanceof Error && error.name === 'SynthError' && 'errors' in error;
}

async function load({ load: path, synth: output }: LoadRequest): Promise<void> {
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
  let synthesized: Constructs.Synthesis[];
  try {
    synthesized = apps.map((each) => synthesize(each as never));
  } catch (error) {
    if (!isSynthError(error)) throw error;
    const problems = error.errors.map(({ path: construct, message }) => ({
      message,
      ...(construct ? { construct } : {}),
    }));
    const objects = apps.flatMap((each) => objectsOf(each as never).map(asJson));
    return finish({ type: 'failed', problems, objects, files: [...files] });
  }
  if (output !== undefined && output !== 'text') {
    for (const each of apps) {
      each.outdir = output.folder;
      synth(each);
    }
  }
  await finish({
    type: 'loaded',
    objects: synthesized.flatMap(({ objects }) => objects.map(asJson)),
    warnings: synthesized
      .flatMap(({ warnings }) => warnings)
      .map(({ path: construct, message }) => ({ construct, message })),
    ...(output === 'text' ? { text: inApplyOrder(apps.map((each) => each.synthYaml()).join('---\n')) } : {}),
    files: [...files],
  });
}

process.on('uncaughtException', fail);
process.on('unhandledRejection', fail);
// The command line is gone: nobody will ask.
process.on('disconnect', () => process.exit());

const [, , app] = process.argv;
const warm = importLibraries(app!);
process.once('message', (request: LoadRequest) => {
  warm.then(() => load(request)).catch(fail);
});
await warm;
await send({ type: 'warm' });
