/** An error of a user's app as people want to read it: what, and in which of their files. Never a stack trace. */
import { existsSync } from 'node:fs';
import { findPackageJSON } from 'node:module';
import { basename, dirname, relative } from 'node:path';
import { fileURLToPath, pathToFileURL } from 'node:url';
import { shownPath } from '../../gateway-runtime/control/files.ts';
import type { AppProblem } from './messages.ts';
import { describeThrownValue } from './thrown-value.ts';

/** A frame of a stack, or the first line of a syntax error: a path or file URL with line and perhaps column. */
const PLACE = /(?:^|[\s(])(file:\/\/[^\s()]+?|\/[^():]+|[A-Za-z]:\\[^()]+?):(\d+)(?::(\d+))?\)?$/;

/** Of this package no registry is known to have the right one. */
const OWN_NAME = 'gatewright';
const OWN_INSTALL = 'run npm pack in its checkout, and npm install with the path of the file that it writes';

/**
 * @param isOwn whether a file is the user's, and not a library's or ours
 * @param files of the app, so far as they are known
 */
export function describeError(
  error: unknown,
  isOwn: (file: string) => boolean,
  files: Iterable<string>,
): AppProblem {
  if (!(error instanceof Error)) return describeThrownValue(error, files);
  const missing = missingModule(error);
  if (missing) return missing;
  const stack = typeof error.stack === 'string' ? error.stack.split('\n') : [];
  // Of text that is no program, the first line says where it stands; whoever imported it is not at fault.
  const [first] = stack.slice(0, 1).flatMap((line) => placeIn(line) ?? []);
  const notModule = first && moduleReadAsScript(error, first.file);
  if (notModule) return notModule;
  const places = first ? [first] : stack.flatMap((line) => placeIn(line) ?? []);
  const own = places.find(({ file }) => isOwn(file));
  if (own) return { message: messageOf(error), ...own };
  const [other] = places;
  return { message: `${messageOf(error)}${other ? ` (in ${other.file}:${other.line})` : ''}` };
}

function placeIn(line: string): { file: string; line: number; column?: number } | undefined {
  const found = PLACE.exec(line.trim());
  if (!found) return undefined;
  const [, path, row, column] = found;
  const file = path!.startsWith('file:') ? fileURLToPath(path!) : path!;
  return { file, line: Number(row), ...(column ? { column: Number(column) } : {}) };
}

function missingModule(error: Error): AppProblem | undefined {
  if ((error as NodeJS.ErrnoException).code !== 'ERR_MODULE_NOT_FOUND') return undefined;
  const found = /^Cannot find (module|package) '(.+?)' imported from (.+)$/.exec(error.message);
  if (!found) return undefined;
  const [, what, name, file] = found as unknown as [string, string, string, string];
  const message =
    what === 'package'
      ? `the package ${name} is not installed: ${name === OWN_NAME ? OWN_INSTALL : `run npm install ${name}`}`
      : `imports ${relative(dirname(file), name)}, which does not exist${typeScriptBeside(name)}`;
  return { message, file };
}

/** `npm init` writes the type commonjs, with which Node takes no `import` and `export`, also in TypeScript. */
function moduleReadAsScript(error: Error, file: string): AppProblem | undefined {
  if (!/^(Cannot use import statement outside a module|Unexpected token 'export')/.test(error.message))
    return;
  const found = findPackageJSON(pathToFileURL(file));
  if (found === undefined) return undefined;
  return {
    message: `"type": "commonjs" has Node read ${shownPath(file)} as a script, and it is a module (import, export): write "type": "module"`,
    file: found,
  };
}

/** Node runs TypeScript as it is, so a module is imported under the name that it has. */
function typeScriptBeside(file: string): string {
  const source = file.replace(/js$/, 'ts');
  return source !== file && existsSync(source) ? `: write ${basename(source)}, which does` : '';
}

function messageOf(error: Error): string {
  const { code } = error as NodeJS.ErrnoException;
  if (code === 'ERR_UNSUPPORTED_TYPESCRIPT_SYNTAX') {
    return `${error.message}: types are stripped, not compiled, so write it without (an enum as a union of strings, say)`;
  }
  const text = error.message.trim() || 'an error without a message';
  // Names such as TypeError say something; that of a plain Error says nothing.
  return error.name === 'Error' || error.name === 'SyntaxError' ? text : `${error.name}: ${text}`;
}
