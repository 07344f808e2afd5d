/**
 * Which requests a deployment sends another way, told before anything is changed: in `pulumi preview` and in `pulumi up`, as `gatewright diff`
 * tells it. What there is now is read from the cluster; where that can't be, it is what this stack deployed last.
 */
import { all, type Output, type Resource, RunError, secret } from '@pulumi/pulumi';
import type { App } from 'cdk8s';
import { synthesize } from '../../constructs/synthesize.ts';
import { refKey } from '../../gateway-runtime/api/object.ts';
import { LocalCertificates } from '../../gateway-runtime/control/certificates.ts';
import { readObject } from '../../gateway-runtime/control/read-object.ts';
import type { SourcedObject } from '../../gateway-runtime/control/source.ts';
import type { ReportedRegion } from '../../gateway-runtime/diff/report.ts';
import { amongRead } from '../../gateway-runtime/preview/cluster-objects.ts';
import { byKey, compared, type State } from '../../gateway-runtime/preview/compared.ts';
import { approvesAll, judged } from '../../gateway-runtime/preview/traffic-policy.ts';
import { translated } from '../../gateway-runtime/preview/translated.ts';
import { applied, ownOf } from './applied.ts';
import { lastDeployed, packed, type Recorded } from './last-deployed.ts';
import { readOptions, type TrafficOptions, type TrafficSettings } from './options.ts';
import { type Present, present } from './present.ts';
import { refusalText, unknownText } from './refusal.ts';
import { tellFirst, tellNoRecord, tellPresent, tellRegions, tellUnused } from './telling.ts';

export interface TrafficPreview {
  /** As of `gatewright diff --json`, the worst first. None where there was nothing to compare with. */
  readonly regions: readonly ReportedRegion[];
  /**
   * What is deployed, once these resources are: to be exported as `deployedTraffic`. The next preview sees in it what the stack takes away,
   * and compares with it where the cluster can't be read. A secret of the stack, without any Secret in it.
   */
  deployedWith(resources: Iterable<Resource>): Output<string>;
}

/**
 * Tells what becomes of requests once the app is deployed. To be awaited before the program registers resources, so that what is refused
 * changes nothing. Throws a RunError, which fails the preview or the update, where the policy refuses a change, and a SynthError where the
 * app has errors.
 *
 *     const traffic = await previewTraffic(app, { refuse: ['lost', 'cross-team'] });
 *     export const deployedTraffic = traffic.deployedWith(new AppResources('shop', { app }).resources.values());
 */
export async function previewTraffic(app: App, options: TrafficOptions = {}): Promise<TrafficPreview> {
  const settings = readOptions(options);
  const own = amongRead(objectsOf(app));
  const recorded = await lastDeployed();
  const { last } = recorded;
  const now = await present(settings.access, last, settings.timeout * 1000);
  const then = applied(now.objects, own, last?.own ?? new Map());
  const record = packed({ objects: then.map(({ raw }) => raw), own: ownOf(own.map(({ raw }) => raw)) });
  const regions = await report(now, then, recorded, settings);
  return {
    regions,
    deployedWith: (resources) => secret(all([...resources].map(({ urn }) => urn)).apply(() => record)),
  };
}

const objectsOf = (app: App): SourcedObject[] =>
  synthesize(app).objects.flatMap(({ object, path }) => {
    const { object: read } = readObject(object, path, () => ({ file: path }));
    return read ? [read] : [];
  });

async function report(
  now: Present,
  then: readonly SourcedObject[],
  recorded: Recorded,
  { refuse, approve, classes }: TrafficSettings,
): Promise<readonly ReportedRegion[]> {
  await tellPresent(now);
  if (now.from === 'nothing') {
    if (refuse.length > 0 && !approvesAll(approve)) throw new RunError(unknownText(now.why!, refuse));
    return [];
  }
  const certificates = await LocalCertificates.create();
  const stateOf = async (objects: readonly SourcedObject[]): Promise<State> => {
    const known = byKey(objects);
    const options = { classes, strict: false, assumesServices: true, certificates };
    const { translation } = await translated(objects, options);
    return {
      snapshots: translation.snapshots,
      objects: known,
      originOf: (ref) => known.get(refKey(ref))?.origin,
    };
  };
  try {
    const before = await stateOf(now.objects);
    const after = await stateOf(then);
    const regions = compared(before, after);
    if (before.snapshots.size === 0) await tellFirst();
    else {
      if (!recorded.last) await tellNoRecord(recorded.why);
      await tellRegions(regions.map(({ reported }) => reported));
    }
    const { refused, unused } = judged(regions, { refuse, approve });
    for (const each of unused) await tellUnused(each);
    if (refused.length > 0) throw new RunError(refusalText(refused, regions.length, refuse));
    return regions.map(({ reported }) => reported);
  } finally {
    await certificates.remove();
  }
}
