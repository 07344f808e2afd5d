/** What `gatewright diff` is to refuse, and what it says of that. */
import { InvalidArgumentError, Option } from 'commander';
import { stringify } from 'yaml';
import { requestsInWords } from '../../gateway-runtime/diff/text.ts';
import { wrapped } from '../../gateway-runtime/explain/wrapped.ts';
import type { ComparedRegion } from '../../gateway-runtime/preview/compared.ts';
import { REFUSABLE, type Refusable, refusalOf } from '../../gateway-runtime/preview/traffic-policy.ts';
import { counted, styled, WIDTH } from '../terminal.ts';

export const refuseOption = (): Option =>
  new Option('--refuse <what>', 'changes that end with 3: lost,cross-team').argParser(refusable);

function refusable(text: string): readonly Refusable[] {
  return text.split(',').map((each) => {
    const known = REFUSABLE.find((one) => one === each.trim());
    if (known) return known;
    throw new InvalidArgumentError(`Expected one or more of ${REFUSABLE.join(',')}.`);
  });
}

/** Lines for standard output. */
export function refusalText(
  refused: readonly ComparedRegion[],
  all: number,
  refuse: readonly Refusable[],
  file: string | undefined,
): string[] {
  const { shown, more, approvals } = refusalOf(refused);
  const which = new Set(shown.map(({ reported }) => regionText(reported).join('\n')));
  const place = file ?? 'a file that --approve names';
  return [
    styled('red', `REFUSED: ${refused.length} of ${counted(all, 'change')} (--refuse ${refuse.join(',')})`),
    ...which,
    ...(more > 0 ? [`  and ${more} more`] : []),
    ...wrapped(`Approve what is meant in ${place}:`, WIDTH),
    ...stringify(
      approvals.map((each) => ({ ...each, why: '...' })),
      { lineWidth: 0 },
    )
      .trimEnd()
      .split('\n')
      .map((each) => `  ${each}`),
  ];
}

function regionText(region: ComparedRegion['reported']): string[] {
  const { severity, touched } = region;
  const [first = '', ...rest] = wrapped(`${severity}: ${requestsInWords(region)}`, WIDTH - 4);
  const teams =
    touched.length > 0 ? wrapped(`touches ${touched.join(', ')}, which changed nothing`, WIDTH - 4) : [];
  return [`  ${first}`, ...[...rest, ...teams].map((each) => `    ${each}`)];
}
