/** A stack of this checkout's Pulumi program in a folder of its own, where its sources can be edited. */
import { spawn } from 'node:child_process';
import {
  cpSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  rmSync,
  symlinkSync,
  writeFileSync,
} from 'node:fs';
import { tmpdir } from 'node:os';
import { delimiter, dirname, join } from 'node:path';
import { putPrograms } from './programs.ts';

const CHECKOUT = join(import.meta.dirname, '..', '..');
/** What a test may edit; the rest of the checkout is used as it is. */
const COPIED = ['Pulumi.yaml', 'package.json', 'infra', 'examples'];
const LINKED = ['node_modules', 'constructs', 'gateway-runtime', 'pulumi'];

export interface Result {
  readonly status: number | null;
  /** Both outputs, as they came. */
  readonly text: string;
}

export class Stack {
  readonly #folder: string;
  readonly #environment: Record<string, string>;
  #said = '';

  private constructor(folder: string) {
    this.#folder = folder;
    const programs = join(folder, 'programs');
    this.#environment = {
      PATH: [programs, dirname(process.execPath), process.env.PATH].join(delimiter),
      PULUMI_HOME: join(folder, 'home'),
      PULUMI_BACKEND_URL: `file://${join(folder, 'state')}`,
      PULUMI_CONFIG_PASSPHRASE: 'not a secret',
      PULUMI_SKIP_UPDATE_CHECK: 'true',
      PULUMI_DISABLE_AUTOMATIC_PLUGIN_ACQUISITION: 'true',
    };
  }

  static async create(): Promise<Stack> {
    const folder = mkdtempSync(join(tmpdir(), 'gatewright-pulumi-'));
    const stack = new Stack(folder);
    for (const name of ['home', 'state', 'project']) mkdirSync(join(folder, name));
    for (const name of COPIED) cpSync(join(CHECKOUT, name), stack.file(name), { recursive: true });
    for (const name of LINKED) symlinkSync(join(CHECKOUT, name), stack.file(name));
    await putPrograms(join(folder, 'programs'));
    await stack.succeed(['stack', 'init', 'test']);
    return stack;
  }

  /** Path of a file of the project. */
  file(name: string): string {
    return join(this.#folder, 'project', name);
  }

  /** Replaces text that is in a file of the project, once. */
  edit(name: string, from: string, to: string): void {
    const text = readFileSync(this.file(name), 'utf8');
    if (text.split(from).length !== 2) throw new Error(`${name}: expected "${from}" once`);
    writeFileSync(this.file(name), text.replace(from, to));
  }

  /** Puts another text in place of a file of the project. */
  write(name: string, text: string): void {
    writeFileSync(this.file(name), text);
  }

  /** Runs `pulumi`, and gives what it says whether it succeeds or not. */
  run(
    args: readonly string[],
    { input, env }: { input?: string; env?: Readonly<Record<string, string>> } = {},
  ): Promise<Result> {
    const { promise, resolve, reject } = Promise.withResolvers<Result>();
    const child = spawn('pulumi', [...args, '--non-interactive', '--color=never'], {
      cwd: this.file('.'),
      env: { ...process.env, ...this.#environment, ...env },
    });
    let text = '';
    for (const stream of [child.stdout, child.stderr]) {
      stream.setEncoding('utf8').on('data', (part: string) => {
        text += part;
        this.#said += part;
      });
    }
    child.on('error', reject);
    child.on('close', (status) => resolve({ status, text }));
    child.stdin.on('error', () => {}).end(input);
    return promise;
  }

  async succeed(args: readonly string[], options: { input?: string } = {}): Promise<string> {
    const { status, text } = await this.run(args, options);
    if (status !== 0) throw new Error(`pulumi ${args.join(' ')} ended with ${status}\n${text}`);
    return text;
  }

  /** Everything that the commands have printed by now. */
  said(): string {
    return this.#said;
  }

  /** Which of these texts stand in what is kept of the stack, or in what was said of it. */
  shown(texts: readonly string[]): string[] {
    const files = ['state', 'home', 'project']
      .flatMap((name) => readdirSync(join(this.#folder, name), { recursive: true, withFileTypes: true }))
      .filter((entry) => entry.isFile())
      .map((entry) => readFileSync(join(entry.parentPath, entry.name), 'utf8'));
    const places = [this.#said, ...files];
    return texts.filter((text) => places.some((place) => place.includes(text)));
  }

  remove(): void {
    rmSync(this.#folder, { recursive: true, force: true });
  }
}
