/**
 * Where a value may have been thrown that is no Error: it carries no line, but few lines of an app throw such a thing, and text is mostly thrown as
 * it is written.
 */
import { readFileSync } from 'node:fs';
import { inspect } from 'node:util';
import { shownPath } from '../../gateway-runtime/control/files.ts';
import type { AppProblem } from './messages.ts';

const PROGRAM = /\.[cm]?[jt]sx?$/;
/** What throws a value, and the value as it is written. */
const THROW = /^(?!\s*(?:\/\/|\*)).*?\b(?:throw\b|reject\()\s*(?!new\b)(\S.*)$/;
/** Lines that are named where it may be any of them. */
const MOST_NAMED = 3;
/** Characters of a value that are shown. */
const MOST_SHOWN = 200;

interface Throwing {
  readonly file: string;
  readonly line: number;
  readonly written: string;
}

/** @param files of the app, absolute paths; what can't be read is passed over */
export function describeThrownValue(value: unknown, files: Iterable<string>): AppProblem {
  const text = typeof value === 'string' ? value : inspect(value, { depth: 1, breakLength: Infinity });
  const shown = text.length > MOST_SHOWN ? `${text.slice(0, MOST_SHOWN)}...` : text;
  const said = `the app threw ${shown}, which is no Error and does not say where: throw new Error(...)`;
  const all = [...files].filter((file) => PROGRAM.test(file)).flatMap(throwsIn);
  const literal = typeof value === 'string' ? all.filter(({ written }) => isLiteral(written, value)) : [];
  const likely = literal.length > 0 ? literal : all;
  const [first, ...others] = likely;
  if (!first || likely.length > MOST_NAMED) return { message: said };
  const { file, line } = first;
  if (others.length === 0) return { message: said, file, line };
  const places = likely.map((each) => `${shownPath(each.file)}:${each.line}`);
  return { message: `${said}. One of these lines does: ${places.join(', ')}`, file };
}

function throwsIn(file: string): Throwing[] {
  let text: string;
  try {
    text = readFileSync(file, 'utf8');
  } catch {
    return [];
  }
  return text.split('\n').flatMap((each, index) => {
    const [, written] = THROW.exec(each) ?? [];
    return written === undefined ? [] : [{ file, line: index + 1, written }];
  });
}

function isLiteral(written: string, value: string): boolean {
  return ["'", '"', '`'].some((quote) => written.startsWith(`${quote}${value}${quote}`));
}
