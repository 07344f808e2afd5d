import { expect, it } from '@jest/globals';
import { describeThrownValue } from '../../cli/app/thrown-value.ts';
import { Folder } from './support/folder.ts';

const said = (shown: string) =>
  `the app threw ${shown}, which is no Error and does not say where: throw new Error(...)`;

it.each([
  ['text that is written there', 'no team', "throw 'no team';", 2],
  ['text of a template', 'no team', 'if (x) throw `no team`;', 2],
  ['text that a promise is rejected with', 'no team', 'await Promise.reject("no team");', 2],
  ['text that is put together, where one line throws', 'team 7', "throw 'team ' + number;", 2],
  ['an object, where one line throws', { code: 7 }, '  throw found;', 2],
])('%s has its line', (_, value, line, number) => {
  using folder = new Folder();
  const other = folder.write('other.ts', "// throw 'no team'\nthrow new Error('no team');\n");
  const file = folder.write('app.ts', `const a = 1;\n${line}\n`);
  const { line: found, file: at } = describeThrownValue(value, [other, file, folder.file('gone.ts')]);
  expect([at, found]).toEqual([file, number]);
});

it('the line that throws the very text goes before others', () => {
  using folder = new Folder();
  const file = folder.write('app.ts', "throw x;\nthrow 'a';\nthrow 'b';\n");
  expect(describeThrownValue('b', [file])).toEqual({ message: said('b'), file, line: 3 });
});

it('where it may be any of a few lines, all are named; of many, none', () => {
  using folder = new Folder();
  const file = folder.write('app.ts', 'throw x;\nthrow y;\n');
  const shown = folder.shown('app.ts');
  expect(describeThrownValue({ code: 7 }, [file])).toEqual({
    message: `${said('{ code: 7 }')}. One of these lines does: ${shown}:1, ${shown}:2`,
    file,
  });
  const many = folder.write('many.ts', 'throw x;\n'.repeat(9));
  expect(describeThrownValue(undefined, [many])).toEqual({ message: said('undefined') });
});

it('a value of any length is shown in part', () => {
  expect(describeThrownValue('x'.repeat(1_000), []).message).toBe(said(`${'x'.repeat(200)}...`));
});
