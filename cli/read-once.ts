/** Sources read and translated once, for commands that answer and end. */
import { type ObjectRef, type RawObject, refKey } from '../gateway-runtime/api/object.ts';
import {
  LocalCertificates,
  missingAuthorities,
  missingSecrets,
} from '../gateway-runtime/control/certificates.ts';
import { missingServices, standInService } from '../gateway-runtime/control/missing-services.ts';
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
  /** Whether a Service that routes name and no source defines is taken to be in the cluster too, unless `strict`. */
  readonly assumesServices: boolean;
  /** Seconds that an app may take. */
  readonly appTimeout: number;
  /** Whether problems are told on standard error; without, the caller has another place for them. */
  readonly tells: boolean;
  /** What stands for certificates and authorities that are missing. By default made anew, where any are. */
  readonly certificates?: LocalCertificates;
  /** What there is beside the objects of the sources, which go in place of those of the same name. */
  readonly onto?: readonly SourcedObject[];
  /** When objects were created, by key, for those that do not say so. */
  readonly created?: ReadonlyMap<string, string>;
}

export interface ReadOnce {
  readonly translation: Translation;
  /** Those that were translated, in the order of the sources. */
  readonly gateways: readonly GatewayId[];
  readonly problems: readonly SourceProblem[];
  /** Secrets, and Services where asked, that are not among the sources, and taken to be in the cluster. */
  readonly assumed: readonly ObjectRef[];
  readonly objects: readonly SourcedObject[];
  /** As of Sources. */
  readonly whatToName: string;
  readonly originOf: (ref: ObjectRef) => Origin | undefined;
}

/** Everything that the paths stand for, translated. Throws a CommandError where a path can't be used. */
export async function readOnce(paths: readonly string[], options: ReadOnceOptions): Promise<ReadOnce> {
  const { classes, strict, assumesServices, appTimeout, tells, certificates, created, onto = [] } = options;
  const sources = await Sources.of(paths, { print: tellAsIs, timeout: appTimeout });
  const { problems } = await sources.read({ tolerant: true });
  const written = [...sources.objects.objects()];
  const objects = [...written, ...onto.filter(({ ref }) => !sources.objects.has(ref))];
  const origins = new Map(onto.map(({ ref, origin }) => [refKey(ref), origin]));
  const secrets = strict ? [] : await standIns(objects, certificates);
  const services = strict || !assumesServices ? [] : missingServices(objects).map(standInService);
  const made = [...secrets, ...services];
  const assumed = made.map(({ ref }) => ref);
  if (assumed.length > 0 && tells)
    tell(`Taken to be in the cluster: ${assumed.map(refKey).join(', ')} (not with --strict).`);
  const translation = translate(
    [...objects, ...made].map(({ ref, raw }) => withTime(raw, created?.get(refKey(ref)))),
    { regex: re2, classes: classes ?? 'any' },
  );
  const told = unrepeated(problems, translation.diagnostics);
  if (tells) for (const problem of told) tellProblem(formatSourceProblem(problem));
  const gateways = objects
    .map(({ ref }) => ref)
    .filter((ref) => ref.kind === 'Gateway' && translation.snapshots.has(gatewayKey(ref)));
  return {
    translation,
    gateways,
    problems: told,
    assumed,
    objects,
    whatToName: sources.whatToName,
    originOf: (ref) => sources.objects.origin(ref) ?? origins.get(refKey(ref)),
  };
}

function withTime(raw: RawObject, created: string | undefined): RawObject {
  const metadata = raw.metadata as { readonly creationTimestamp?: unknown };
  if (created === undefined || metadata.creationTimestamp !== undefined) return raw;
  return { ...raw, metadata: { ...metadata, creationTimestamp: created } };
}

async function standIns(
  objects: readonly SourcedObject[],
  given: LocalCertificates | undefined,
): Promise<SourcedObject[]> {
  const missing = missingSecrets(objects);
  const authorities = missingAuthorities(objects);
  if (missing.length + authorities.length === 0) return [];
  const certificates = given ?? (await LocalCertificates.create());
  const made = [...certificates.secretsFor(missing), ...(await certificates.authoritiesFor(authorities))];
  if (!given) await certificates.remove();
  return made;
}
