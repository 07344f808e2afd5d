/**
 * Checks the types of an app in the background: types are stripped when it runs, so nothing else would. The TypeScript of
 * the app's own folder does it, and is kept warm: a second check reads again only what changed.
 */
import { statSync } from 'node:fs';
import { createRequire } from 'node:module';
import { setPriority } from 'node:os';
import { dirname, sep } from 'node:path';
import { fileURLToPath } from 'node:url';
import type TypeScript from 'typescript';
import type { AppProblem } from './messages.ts';

export type CheckReply =
  /** No TypeScript is installed where the app is: nothing to check with. */
  { readonly type: 'unavailable' } | { readonly type: 'checked'; readonly problems: readonly AppProblem[] };

type Ts = typeof TypeScript;

const MOST_PROBLEMS = 20;
const OWN_ROOT = dirname(dirname(dirname(fileURLToPath(import.meta.url)))) + sep;
const LIBRARY_FOLDERS = ['cli', 'constructs', 'gateway-runtime'].map(
  (folder) => `${OWN_ROOT}${folder}${sep}`,
);

/** For an app whose folder has no tsconfig.json: as Node runs it, and strict. */
const DEFAULT_OPTIONS = {
  strict: true,
  target: 'es2024',
  module: 'nodenext',
  allowImportingTsExtensions: true,
  erasableSyntaxOnly: true,
  skipLibCheck: true,
};

class TypeCheck {
  readonly #ts: Ts;
  readonly #service: TypeScript.LanguageService;

  constructor(ts: Ts, app: string) {
    this.#ts = ts;
    const options = { ...optionsFor(ts, app), noEmit: true };
    this.#service = ts.createLanguageService({
      getCompilationSettings: () => options,
      getScriptFileNames: () => [app],
      // A file is new when it was written; those of packages stay.
      getScriptVersion: (file) => (file.includes('/node_modules/') ? '0' : String(modifiedAt(file))),
      getScriptSnapshot: (file) => {
        const text = ts.sys.readFile(file);
        return text === undefined ? undefined : ts.ScriptSnapshot.fromString(text);
      },
      getCurrentDirectory: () => dirname(app),
      getDefaultLibFileName: (settings) => ts.getDefaultLibFilePath(settings),
      fileExists: ts.sys.fileExists,
      readFile: ts.sys.readFile,
      directoryExists: ts.sys.directoryExists,
      getDirectories: ts.sys.getDirectories,
      ...(ts.sys.realpath ? { realpath: ts.sys.realpath } : {}),
    });
  }

  problems(): AppProblem[] {
    const program = this.#service.getProgram()!;
    const own = program
      .getSourceFiles()
      .filter(
        (file) =>
          !file.isDeclarationFile &&
          !program.isSourceFileFromExternalLibrary(file) &&
          !LIBRARY_FOLDERS.some((folder) => file.fileName.startsWith(folder)),
      );
    return own
      .flatMap((file) => [...program.getSyntacticDiagnostics(file), ...program.getSemanticDiagnostics(file)])
      .slice(0, MOST_PROBLEMS)
      .map((diagnostic) => this.#problem(diagnostic));
  }

  #problem({ file, start, messageText, code }: TypeScript.Diagnostic): AppProblem {
    const message = `${this.#ts.flattenDiagnosticMessageText(messageText, '\n')} (TS${code})`;
    if (!file || start === undefined) return { message };
    const isSyntax = code >= 1000 && code < 2000;
    const { line, character } = file.getLineAndCharacterOfPosition(start);
    return {
      message,
      file: file.fileName,
      line: line + 1,
      column: character + 1,
      ...(isSyntax ? { isSyntax } : {}),
    };
  }
}

function optionsFor(ts: Ts, app: string): TypeScript.CompilerOptions {
  const config = ts.findConfigFile(dirname(app), ts.sys.fileExists);
  if (!config) return ts.convertCompilerOptionsFromJson(DEFAULT_OPTIONS, dirname(app)).options;
  const { config: json } = ts.readConfigFile(config, ts.sys.readFile);
  return ts.parseJsonConfigFileContent({ ...json, files: [app], include: [] }, ts.sys, dirname(config))
    .options;
}

function modifiedAt(file: string): number {
  return statSync(file, { throwIfNoEntry: false })?.mtimeMs ?? 0;
}

function loadTypeScript(app: string): Ts | undefined {
  try {
    return createRequire(app)('typescript') as Ts;
  } catch {
    return undefined;
  }
}

// Traffic and edits go first.
setPriority(10);
process.on('disconnect', () => process.exit());
const app = process.argv[2]!;
let check: TypeCheck | undefined;
process.on('message', () => {
  const ts = check ? undefined : loadTypeScript(app);
  check ??= ts && new TypeCheck(ts, app);
  const reply: CheckReply = check ? { type: 'checked', problems: check.problems() } : { type: 'unavailable' };
  process.send!(reply);
});
