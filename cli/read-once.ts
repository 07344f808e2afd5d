/** Sources read and translated once, for commands that answer and end. */
import { type ObjectRef, refKey } from '../gateway-runtime/api/object.ts';
import { LocalCertificates, missingSecrets } from '../gateway-runtime/control/certificates.ts';
import {
  formatSourceProblem,
  type SourcedObject,
  type SourceProblem,
} from '../gateway-runtime/control/source.ts';
import { re2 } from '../gateway-runtime/regex/re2.ts';
import type { Origin } from '../gateway-runtime/snapshot/diagnostic.ts';
import { type GatewayId, gatewayKey } from '../gateway-runtime/snapshot/snapshot.ts';
import { translate } from '../gateway-runtime/translate/translate.ts';
import type { Translation } from '../gateway-runtime/translate/translation.ts';
import { Sources, unrepeated } from './sources.ts';
import { tell, tellAsIs, tellProblem } from './terminal.ts';

export interface ReadOnceOptions {
  /** Default: Gateways of any class. */
  readonly classes?: readonly string[] | undefined;
  /** Whether a Secret that is missing here counts as missing, and is not taken to be in the cluster. */
  readonly strict: boolean;
  /** Seconds that an app may take. */
  readonly appTimeout: number;
}

export interface ReadOnce {
  readonly translation: Translation;
  /** Those that were translated, in the order of the sources. */
  readonly gateways: readonly GatewayId[];
  readonly problems: readonly SourceProblem[];
  readonly objects: readonly SourcedObject[];
  readonly originOf: (ref: ObjectRef) => Origin | undefined;
}

/** Tells the problems of the sources on standard error. */
export async function readOnce(
  paths: readonly string[],
  { classes, strict, appTimeout }: ReadOnceOptions,
): Promise<ReadOnce> {
  const sources = await Sources.of(paths, { print: tellAsIs, timeout: appTimeout });
  const { problems } = await sources.read({ tolerant: true });
  const objects = [...sources.objects.objects()];
  const secrets = strict ? [] : await standIns(objects);
  const translation = translate(
    [...objects, ...secrets].map(({ raw }) => raw),
    { regex: re2, classes: classes ?? 'any' },
  );
  for (const problem of unrepeated(problems, translation.diagnostics))
    tellProblem(formatSourceProblem(problem));
  const gateways = objects
    .map(({ ref }) => ref)
    .filter((ref) => ref.kind === 'Gateway' && translation.snapshots.has(gatewayKey(ref)));
  return { translation, gateways, problems, objects, originOf: (ref) => sources.objects.origin(ref) };
}

async function standIns(objects: readonly SourcedObject[]): Promise<SourcedObject[]> {
  const missing = missingSecrets(objects);
  if (missing.length === 0) return [];
  tell(
    `Taken to be in the cluster: ${missing.map(({ ref }) => refKey(ref)).join(', ')} (not with --strict).`,
  );
  const certificates = await LocalCertificates.create();
  await certificates.remove();
  return certificates.secretsFor(missing);
}
