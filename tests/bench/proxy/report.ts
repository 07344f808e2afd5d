/** Results as a table, and as a picture. */
import { readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { WORKS, type Work } from './works.ts';

export interface Figure {
  readonly name: string;
  readonly median: number;
  readonly least: number;
  readonly most: number;
}

export interface Result {
  /** Name of the work. */
  readonly work: string;
  /** When, where and how. */
  readonly taken: string;
  readonly figures: readonly Figure[];
}

const workOf = ({ work }: Result): Work => WORKS.find(({ name }) => name === work)!;

const HEAD = `CPU time of the whole proxy (user and system) for each unit, one worker on one processor of its own, 64 kept connections, 100 routes unless said; all of
them write access logs to files and have metrics. Median (least to most) of the rounds, and its ratio to each peer's median, with the goal: npm run bench -- --write

`;

/** What stands in a folder, a work at a time. */
export class Kept {
  readonly #folder: string;
  readonly #results = new Map<string, Result>();
  /** Of what only Gatewright was asked, by name. */
  readonly #alone = new Map<string, string>();

  constructor(folder: string) {
    this.#folder = folder;
    try {
      const { results, alone } = JSON.parse(readFileSync(join(folder, 'proxy.json'), 'utf8'));
      for (const each of results) this.add(each);
      for (const [name, text] of Object.entries(alone)) this.#alone.set(name, text as string);
    } catch {
      // Nothing was kept before.
    }
  }

  add(result: Result): void {
    this.#results.set(result.work, result);
  }

  addAlone(name: string, text: string): void {
    this.#alone.set(name, text);
  }

  write(): void {
    const results = WORKS.flatMap(({ name }) => this.#results.get(name) ?? []);
    const put = (name: string, text: string) => writeFileSync(join(this.#folder, name), text);
    const alone = Object.fromEntries(this.#alone);
    put('proxy.json', `${JSON.stringify({ results, alone }, null, 2)}\n`);
    put('proxy.txt', `${HEAD}${table(results)}\n${Object.values(alone).join('')}`);
    put('proxy.svg', chart(results));
  }
}

const rounded = (figure: number) => (figure >= 100 ? figure.toFixed(0) : figure.toFixed(1));

function ratios({ name }: Figure, result: Result): string {
  const { figures } = result;
  const goals = (workOf(result).goals as Record<string, Record<string, number> | undefined>)[name];
  const own = figures.find((each) => each.name === name)!;
  const { atMost } = workOf(result);
  const limit = atMost !== undefined && name === 'Gatewright' ? [`(goal ${atMost})`] : [];
  return Object.entries(goals ?? {})
    .flatMap(([peer, goal]) => {
      const other = figures.find((each) => each.name === peer);
      return other ? [`${(own.median / other.median).toFixed(2)} x ${peer} (goal ${goal})`] : [];
    })
    .concat(limit)
    .join(', ');
}

export function table(results: readonly Result[]): string {
  return results
    .map((result) => {
      const lines = result.figures.map((figure) =>
        `  ${figure.name.padEnd(28)} ${rounded(figure.median).padStart(7)}  (${rounded(figure.least)} to ${rounded(figure.most)})`.padEnd(
          62,
        ),
      );
      const { title, unit } = workOf(result);
      return `${title}, ${unit}\n  # ${result.taken}\n${lines
        .map((line, index) => `${line}${ratios(result.figures[index]!, result)}`.trimEnd())
        .join('\n')}\n`;
    })
    .join('\n');
}

const WIDTH = 860;
const LABEL = 210;
const BAR = 16;
const GAP = 4;
const COLOURS: Readonly<Record<string, string>> = {
  Gatewright: '#1f6feb',
  'Gatewright (http1-internals)': '#58a6ff',
  'Gatewright (node)': '#a5c8f5',
};
const PEER = '#9aa4b0';

const escaped = (text: string) => text.replace(/&/g, '&amp;').replace(/</g, '&lt;');

/** Bars, a group for each work; the whiskers are the least and the most. Shorter is better. */
export function chart(results: readonly Result[]): string {
  const parts: string[] = [];
  let y = 24;
  for (const result of results) {
    const { figures } = result;
    const { title, unit } = workOf(result);
    parts.push(`<text x="8" y="${y}" class="title">${escaped(`${title}, ${unit}`)}</text>`);
    y += 8;
    const most = Math.max(...figures.map((each) => each.most));
    const scale = (figure: number) => (figure / most) * (WIDTH - LABEL - 90);
    for (const { name, median, least, most: top } of figures) {
      const middle = y + BAR / 2;
      const end = LABEL + scale(top);
      parts.push(
        `<text x="${LABEL - 8}" y="${middle + 4}" text-anchor="end">${escaped(name)}</text>`,
        `<rect x="${LABEL}" y="${y}" width="${scale(median).toFixed(1)}" height="${BAR}" fill="${COLOURS[name] ?? PEER}"/>`,
        `<path d="M${(LABEL + scale(least)).toFixed(1)} ${middle}H${end.toFixed(1)}" stroke="#222" fill="none"/>`,
        `<text x="${(end + 6).toFixed(1)}" y="${middle + 4}">${rounded(median)}</text>`,
      );
      y += BAR + GAP;
    }
    y += 26;
  }
  return `<svg xmlns="http://www.w3.org/2000/svg" width="${WIDTH}" height="${y}" viewBox="0 0 ${WIDTH} ${y}">
<title>What a request costs Gatewright and its peers: shorter is better</title>
<style>text { font: 12px system-ui, sans-serif; fill: #222 } .title { font-weight: 600 }</style>
<rect width="100%" height="100%" fill="#fff"/>
${parts.join('\n')}
</svg>
`;
}
