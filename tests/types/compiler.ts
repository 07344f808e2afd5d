/** The TypeScript compiler over programs that exist only as text: what it says, and where. */
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import ts from 'typescript';

const root = join(dirname(fileURLToPath(import.meta.url)), '..', '..');

export interface Complaint {
  /** The text that is underlined. */
  readonly at: string;
  readonly message: string;
  /** From 0. */
  readonly line: number;
}

/**
 * Checks files of these names and texts as one program under the repository's own options.
 *
 * @param where The folder, from the root of the repository, in which the files would be.
 */
export function complaints(
  files: Readonly<Record<string, string>>,
  where = join('tests', 'types'),
): Map<string, Complaint[]> {
  const folder = join(root, where);
  const texts = new Map(Object.entries(files).map(([name, text]) => [join(folder, name), text]));
  const { config } = ts.readConfigFile(join(root, 'tsconfig.json'), ts.sys.readFile);
  const { options } = ts.parseJsonConfigFileContent({ ...config, files: [...texts.keys()] }, ts.sys, root);
  const host = ts.createCompilerHost(options);
  const { fileExists, readFile, getSourceFile } = host;
  host.fileExists = (path) => texts.has(path) || fileExists(path);
  host.readFile = (path) => texts.get(path) ?? readFile(path);
  host.getSourceFile = (path, languageVersion, ...rest) => {
    const text = texts.get(path);
    return text === undefined
      ? getSourceFile(path, languageVersion, ...rest)
      : ts.createSourceFile(path, text, languageVersion);
  };
  const program = ts.createProgram([...texts.keys()], options, host);
  return new Map(
    Object.keys(files).map((name) => {
      const source = program.getSourceFile(join(folder, name))!;
      const found = [...program.getSyntacticDiagnostics(source), ...program.getSemanticDiagnostics(source)];
      return [
        name,
        found.map(({ start = 0, length = 0, messageText }) => ({
          at: source.text.slice(start, start + length),
          message: ts.flattenDiagnosticMessageText(messageText, '\n'),
          line: source.getLineAndCharacterOfPosition(start).line,
        })),
      ];
    }),
  );
}
