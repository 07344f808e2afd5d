/** What the README and the pages lead to is there. */
import { existsSync, readdirSync, readFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { expect, it } from '@jest/globals';

const PAGES = [
  'README.md',
  'ARCHITECTURE.md',
  'SECURITY.md',
  ...readdirSync('docs').map((name) => `docs/${name}`),
  ...readdirSync('examples').map((name) => `examples/${name}/README.md`),
].filter((page) => page.endsWith('.md') && existsSync(page));

/** As GitHub makes them of headings. */
const anchors = (page: string) =>
  [...readFileSync(page, 'utf8').matchAll(/^#+ (.*)$/gm)].map(([, heading = '']) =>
    heading
      .toLowerCase()
      .replaceAll(/[^\w\- ]/g, '')
      .replaceAll(' ', '-'),
  );

/** Without what is code, where brackets and parentheses are no links. */
const prose = (page: string) =>
  readFileSync(page, 'utf8')
    .replaceAll(/^```(?:.*\n)*?^```$/gm, '')
    .replaceAll(/`[^`]*`/g, '`');

it.each(PAGES)('%s', (page) => {
  const broken = [...prose(page).matchAll(/\]\(([^)\s]+)\)/g)]
    .map(([, target = '']) => target)
    .filter((target) => !/^https?:/.test(target))
    .filter((target) => {
      const [file = '', anchor] = target.split('#');
      const path = file === '' ? page : join(dirname(page), file);
      return !existsSync(path) || (anchor !== undefined && !anchors(path).includes(anchor));
    });
  expect(broken).toEqual([]);
});
