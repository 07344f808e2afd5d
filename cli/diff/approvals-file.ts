/** What of a repository's changes is meant, as one of its files says: YAML or JSON, in the form in which a Pulumi program approves. */
import { readFileSync } from 'node:fs';
import { parseDocument } from 'yaml';
import { type Approval, readApprovals } from '../../gateway-runtime/preview/approval.ts';
import { CommandError, EXIT } from '../terminal.ts';

/** Characters. */
const LONGEST = 1024 * 1024;

/** None where the file has nothing but comments. Throws a CommandError for whatever is not understood. */
export function approvalsOf(file: string): readonly Approval[] {
  const value = written(file);
  const { approvals, problems } = readApprovals(value ?? [], '');
  if (problems.length > 0)
    throw refused(
      file,
      problems.join('; '),
      "write entries such as - { host: shop.example.com, path: /old, why: 'closed in May' }",
    );
  return approvals;
}

function written(file: string): unknown {
  let text: string;
  try {
    text = readFileSync(file, 'utf8');
  } catch (error) {
    const { code, message } = error as NodeJS.ErrnoException;
    const why = code === 'ENOENT' ? 'no such file' : `can't be read (${code ?? message})`;
    throw refused(file, why, 'write it; with nothing but a comment in it, it approves nothing');
  }
  if (text.length > LONGEST)
    throw refused(file, `found ${text.length} characters, expected ${LONGEST} at most`);
  const document = parseDocument(text, { logLevel: 'silent' });
  const [error] = document.errors;
  if (error) throw refused(file, `found no valid YAML: ${error.message.split('\n')[0]!.replace(/:$/, '')}`);
  try {
    return document.toJS({ maxAliasCount: 0 });
  } catch {
    throw refused(file, 'found an alias', 'write the values out');
  }
}

const refused = (file: string, what: string, fix = '') =>
  new CommandError(`error --approve ${file}: ${what}.${fix && ` Fix: ${fix}.`}`, EXIT.usage);
