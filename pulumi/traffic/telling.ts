/** The report in the engine's diagnostics: warnings for requests that are lost or moved, and what else there is beside them. */
import { log } from '@pulumi/pulumi';
import type { ReportedRegion } from '../../gateway-runtime/diff/report.ts';
import { diffText, summaryText } from '../../gateway-runtime/diff/text.ts';
import { wrapped } from '../../gateway-runtime/explain/wrapped.ts';
import type { Approval } from '../../gateway-runtime/preview/approval.ts';
import { unusedText } from '../../gateway-runtime/preview/traffic-policy.ts';
import { OUTPUT } from './last-deployed.ts';
import type { Present } from './present.ts';

/** Columns that the engine leaves to a diagnostic in a terminal of 80, and to its first line, which begins with `warning: `. */
const WIDTH = 76;
const FIRST = 67;
/** Headings of the report that are shown. */
const MOST = 50;

const inLines = (text: string) => wrapped(text, FIRST).join('\n');

/** What there is to compare with, where it is not simply the cluster. */
export async function tellPresent({ from, why }: Present): Promise<void> {
  if (from === 'nothing') {
    await log.warn(
      inLines(
        `traffic is not compared: the cluster could not be read (${why}), and this stack has no record of a deployment, as before the first one and where the program does not export ${OUTPUT}`,
      ),
    );
  } else if (from === 'last deployment') {
    await log.warn(
      inLines(
        `the cluster could not be read (${why}): traffic is compared with what this stack deployed last, so what others changed since is not seen`,
      ),
    );
  }
}

export const tellFirst = () =>
  log.info(inLines('first deployment: there is no Gateway yet, so no request can go another way'));

export const tellNoRecord = (why: string) =>
  log.info(
    inLines(
      `this stack has no record of its last deployment (${why}): objects that it takes away are seen from the next one on, where the program exports ${OUTPUT}`,
    ),
  );

export async function tellRegions(regions: readonly ReportedRegion[]): Promise<void> {
  if (regions.length === 0) {
    await log.info('traffic: no request goes another way');
    return;
  }
  const isBad = ({ severity }: ReportedRegion) => severity === 'lost' || severity === 'moved';
  const text = (some: readonly ReportedRegion[]) =>
    [inLines(`traffic: ${summaryText(some)}`), ...diffText(some, { most: MOST, width: WIDTH })].join('\n');
  const bad = regions.filter(isBad);
  const others = regions.filter((each) => !isBad(each));
  if (bad.length > 0) await log.warn(text(bad));
  if (others.length > 0) await log.info(text(others));
}

export const tellUnused = (approval: Approval) => log.warn(inLines(unusedText(approval)));
