/** Fields as lines of HTTP/1.1, each with its line end, and as names and values in turns. */

export function pairsOf(lines: readonly string[]): string[] {
  const pairs: string[] = [];
  for (const line of lines) {
    const colon = line.indexOf(':');
    if (colon > 0) pairs.push(line.slice(0, colon), line.slice(colon + 1).trim());
  }
  return pairs;
}

export function linesOf(raw: readonly string[]): string {
  let lines = '';
  for (let i = 0; i < raw.length; i += 2) lines += `${raw[i]}: ${raw[i + 1]}\r\n`;
  return lines;
}
