/** What the commands print on: results on standard output, everything else on standard error; colour for people only. */

import { styleText } from 'node:util';
import { wrapped } from '../gateway-runtime/explain/wrapped.ts';

type Style = 'bold' | 'dim' | 'red' | 'yellow' | 'green';

/** Columns that output is made for. */
export const WIDTH = 80;

/** How a command ends. */
export const EXIT = {
  ok: 0,
  /** The command did its work, and the answer is no: objects were refused, a request has no route. */
  no: 1,
  /** The command was called in a way that it does not understand, or could not do its work. */
  usage: 2,
  /** The answer is one that the caller has said to refuse. */
  refused: 3,
} as const;

/** An error that is the user's to mend: one or more lines, with the next step. Ends the command. */
export class CommandError extends Error {
  readonly exitCode: number;

  constructor(message: string, exitCode: number = EXIT.no) {
    super(message);
    this.exitCode = exitCode;
  }
}

export function print(text = ''): void {
  process.stdout.write(`${text}\n`);
}

export function tell(text = ''): void {
  process.stderr.write(`${text}\n`);
}

/** A sentence, as lines for people at a terminal; one line for whatever else reads standard error. */
export function tellFolded(text: string): void {
  const [indent = ''] = /^ */.exec(text) ?? [];
  const lines = process.stderr.isTTY
    ? wrapped(text.trimStart(), WIDTH - 2 - indent.length)
    : [text.trimStart()];
  tell(indent + lines.join(`\n${indent}  `));
}

/** What a user's program wrote, ends of lines and all. */
export function tellAsIs(text: string): void {
  process.stderr.write(text);
}

/** Styled where standard output is a terminal, and never with NO_COLOR. */
export function styled(style: Style, text: string): string {
  return styleText(style, text, { stream: process.stdout });
}

/** The first word of a problem, `error` or `warning`, in its colour on standard error. */
export function tellProblem(text: string): void {
  const [severity = ''] = text.split(' ', 1);
  const style: Style = severity === 'error' ? 'red' : severity === 'warning' ? 'yellow' : 'dim';
  const [first = '', ...rest] = process.stderr.isTTY ? wrapped(text, WIDTH - 2) : [text];
  const lines = [
    styleText(style, severity, { stream: process.stderr }) + first.slice(severity.length),
    ...rest,
  ];
  tell(lines.join('\n  '));
}

/** As `wrapped` for people at a terminal; one line for whatever else reads standard output. */
export function folded(text: string, width: number): string[] {
  return process.stdout.isTTY ? wrapped(text, width) : text.split('\n');
}

const NARROWEST = 36;

/** A cell that is longer makes its own row longer, and no other. */
const WIDEST = 40;

/** Rows as columns, each as wide as its widest cell. The last one is wrapped, below the row where it would be too narrow. */
export const columns = (rows: readonly (readonly string[])[], indent = ''): string[] =>
  columnRows(rows, indent).flat();

/** The same, as the lines of each row. */
export function columnRows(rows: readonly (readonly string[])[], indent = ''): string[][] {
  const widths: number[] = [];
  for (const row of rows) {
    row.slice(0, -1).forEach((cell, index) => {
      if (cell.length <= WIDEST) widths[index] = Math.max(widths[index] ?? 0, cell.length);
    });
  }
  return rows.map((row) => {
    const head =
      indent +
      row
        .slice(0, -1)
        .map((cell, index) => `${cell.padEnd(widths[index] ?? 0)}  `)
        .join('');
    const last = row.at(-1)!;
    if (!process.stdout.isTTY || head.length + last.length <= WIDTH) return [(head + last).trimEnd()];
    const room = WIDTH - head.length;
    if (room >= NARROWEST) {
      const [first = '', ...rest] = wrapped(last, room);
      return [head + first, ...rest.map((line) => ' '.repeat(head.length) + line)];
    }
    const below = `${indent}    `;
    return [head.trimEnd(), ...wrapped(last, WIDTH - below.length).map((line) => below + line)];
  });
}

/** `1 route`, `2 routes`. */
export function counted(count: number, noun: string, plural = `${noun}s`): string {
  return `${count} ${count === 1 ? noun : plural}`;
}
