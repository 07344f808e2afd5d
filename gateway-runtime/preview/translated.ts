/** Objects translated for an answer about requests, with something in place of what only the cluster has. */
import type { ObjectRef, RawObject } from '../api/object.ts';
import { refKey } from '../api/object.ts';
import { LocalCertificates, missingAuthorities, missingSecrets } from '../control/certificates.ts';
import { missingServices, standInService } from '../control/missing-services.ts';
import type { SourcedObject } from '../control/source.ts';
import { re2 } from '../regex/re2.ts';
import { translate } from '../translate/translate.ts';
import type { Translation } from '../translate/translation.ts';

export interface TranslatedOptions {
  /** Default: Gateways of any class. */
  readonly classes?: readonly string[] | undefined;
  /** Whether a Secret that is missing here counts as missing, and is not taken to be in the cluster. */
  readonly strict: boolean;
  /** Whether a Service that routes name and that is missing is taken to be in the cluster too, unless `strict`. */
  readonly assumesServices: boolean;
  /** What stands for certificates and authorities that are missing. By default made anew, where any are. */
  readonly certificates?: LocalCertificates;
  /** When objects were created, by key, for those that do not say so. */
  readonly created?: ReadonlyMap<string, string>;
}

export interface Translated {
  readonly translation: Translation;
  /** Secrets, and Services where asked, that are missing, and taken to be in the cluster. */
  readonly assumed: readonly ObjectRef[];
}

export async function translated(
  objects: readonly SourcedObject[],
  { classes, strict, assumesServices, certificates, created }: TranslatedOptions,
): Promise<Translated> {
  const secrets = strict ? [] : await standIns(objects, certificates);
  const services = strict || !assumesServices ? [] : missingServices(objects).map(standInService);
  const made = [...secrets, ...services];
  const translation = translate(
    [...objects, ...made].map(({ ref, raw }) => withTime(raw, created?.get(refKey(ref)))),
    { regex: re2, classes: classes ?? 'any' },
  );
  return { translation, assumed: made.map(({ ref }) => ref) };
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
