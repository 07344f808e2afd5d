/** Sources read and translated once, for commands that answer and end. */
import { type ObjectRef, refKey } from '../gateway-runtime/api/object.ts';
import {
  formatSourceProblem,
  type SourcedObject,
  type SourceProblem,
} from '../gateway-runtime/control/source.ts';
import {
  type Translated,
  type TranslatedOptions,
  translated,
} from '../gateway-runtime/preview/translated.ts';
import type { Origin } from '../gateway-runtime/snapshot/diagnostic.ts';
import { type GatewayId, gatewayKey } from '../gateway-runtime/snapshot/snapshot.ts';
import { Sources, unrepeated } from './sources.ts';
import { tellAsIs, tellFolded, tellProblem } from './terminal.ts';

export interface ReadOnceOptions extends TranslatedOptions {
  /** Seconds that an app may take. */
  readonly appTimeout: number;
  /** Whether problems are told on standard error; without, the caller has another place for them. */
  readonly tells: boolean;
  /** What there is beside the objects of the sources, which go in place of those of the same name. */
  readonly onto?: readonly SourcedObject[];
}

export interface ReadOnce extends Translated {
  /** Those that were translated, in the order of the sources. */
  readonly gateways: readonly GatewayId[];
  readonly problems: readonly SourceProblem[];
  readonly objects: readonly SourcedObject[];
  /** What to do where there is no Gateway, without a full stop. */
  readonly whatToName: string;
  readonly originOf: (ref: ObjectRef) => Origin | undefined;
}

/** Everything that the paths stand for, translated. Throws a CommandError where a path can't be used. */
export async function readOnce(paths: readonly string[], options: ReadOnceOptions): Promise<ReadOnce> {
  const { appTimeout, tells, onto = [] } = options;
  const sources = await Sources.of(paths, { print: tellAsIs, timeout: appTimeout });
  const { problems } = await sources.read({ tolerant: true });
  const written = [...sources.objects.objects()];
  const objects = [...written, ...onto.filter(({ ref }) => !sources.objects.has(ref))];
  const origins = new Map(onto.map(({ ref, origin }) => [refKey(ref), origin]));
  const { translation, assumed } = await translated(objects, options);
  if (assumed.length > 0 && tells)
    tellFolded(`Taken to be in the cluster: ${assumed.map(refKey).join(', ')} (not with --strict).`);
  const told = unrepeated(problems, translation.diagnostics).filter((each) => !isOfAssumed(each, assumed));
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
    whatToName: sources.whatToName + otherClass(objects, options.classes),
    originOf: (ref) => sources.objects.origin(ref) ?? origins.get(refKey(ref)),
  };
}

/** Where there are Gateways, of other classes than those that were asked for. */
function otherClass(objects: readonly SourcedObject[], asked: TranslatedOptions['classes']): string {
  const gateways = objects.filter(({ ref }) => ref.kind === 'Gateway');
  if (asked === undefined || gateways.length === 0) return '';
  return `, or leave --class out: ${gateways.map(({ ref, raw }) => `${gatewayKey(ref)} is of class ${(raw.spec as { gatewayClassName?: unknown } | undefined)?.gatewayClassName}`).join(', ')}`;
}

/** Whether a warning is about an object that was taken to be in the cluster, and told of as that. */
function isOfAssumed({ severity, message }: SourceProblem, assumed: readonly ObjectRef[]): boolean {
  return (
    severity === 'warning' &&
    assumed.some(({ kind, namespace, name }) =>
      message.includes(`${kind} ${namespace}/${name} does not exist`),
    )
  );
}
