/** What `serve` has to tell, whatever form it is told in. */
import { type ObjectRef, refKey } from '../../gateway-runtime/api/object.ts';
import type { BackendMapping } from '../../gateway-runtime/control/backend-mapping.ts';
import type { MadeHere } from '../../gateway-runtime/control/certificates.ts';
import type { Loop, LoopChange } from '../../gateway-runtime/control/loop.ts';
import type { MissingService } from '../../gateway-runtime/control/missing-services.ts';
import type { PortPlan } from '../../gateway-runtime/control/port-plan.ts';
import type { Diagnostic, Origin } from '../../gateway-runtime/snapshot/diagnostic.ts';
import type { Backend, BackendKey, GatewayId, Snapshot } from '../../gateway-runtime/snapshot/snapshot.ts';
import type { AppProblem } from '../app/messages.ts';
import type { SourceReport } from '../sources.ts';

/** What is served now. */
export interface View {
  readonly loop: Loop;
  readonly ports: PortPlan;
  readonly address: string;
  /** Processes that serve each Gateway. */
  readonly workers: number;
  /** Where any certificates were made here. */
  readonly made: MadeHere | undefined;
  /** Services that routes name and no file defines: each has one in its place here, and a cluster would answer 500. */
  readonly standIns: readonly MissingService[];
  readonly originOf: (ref: ObjectRef) => Origin | undefined;
}

/** Where the admin server is, or the problem to tell. */
export type AdminPlace =
  | { readonly url: string; readonly problem?: undefined }
  | { readonly problem: string };

export interface Started extends View {
  readonly read: SourceReport;
  readonly change: LoopChange;
  readonly admin: AdminPlace;
  readonly apps: readonly string[];
  readonly mappings: readonly BackendMapping[];
  /** What to do about ports that can't be had. */
  readonly otherPorts: string;
  readonly milliseconds: number;
}

/** An app that could not be loaded, and no Gateway without it. */
export interface NothingYet extends View {
  readonly read: SourceReport;
  readonly change: LoopChange;
}

export interface Changed extends View {
  readonly read: SourceReport;
  readonly change: LoopChange;
  /** Absolute. */
  readonly files: readonly string[];
  /** From the save to the traffic. */
  readonly milliseconds: number;
}

export interface Report {
  /** The app wrote this to its console. */
  appOutput(text: string): void;
  started(started: Started): void;
  nothingYet(state: NothingYet): void;
  /** From now on edits are noticed. */
  watching(): void;
  changed(changed: Changed): void;
  /** All type errors of an app, after each check. */
  typeErrors(app: string, problems: readonly AppProblem[]): void;
  /** A worker has ended, or could not do something. */
  workerEvent(gateway: GatewayId, message: string): void;
  /** Something in this program went wrong, not in the user's files. */
  failed(error: unknown): void;
  stopping(): void;
}

/** An edit of which nothing could be used. */
export function isRefused({ read, change }: Changed): boolean {
  return change.gateways.length === 0 && read.problems.some(({ severity }) => severity === 'error');
}

/** The warning about stand-ins that requests reach, if there are any. */
function missingServices({ standIns, loop }: View): string | undefined {
  const reached = standIns.flatMap(({ ref: { namespace, name }, ports }) =>
    ports
      .filter((port) => loop.sendsTo(`backend/${namespace}/${name}/${port}`))
      .map((port) => `${namespace}/${name}:${port}`),
  );
  if (reached.length === 0) return undefined;
  return `warning Services that routes name and no file defines: ${reached.join(', ')}. Here each has one in its place; a cluster that lacks it answers 500 (ResolvedRefs=False, BackendNotFound).`;
}

/** What is not right with what stands in for Services here, in sentences. */
export const standInWarnings = (view: View): string[] =>
  [missingServices(view), ...echoesWithoutTls(view), ...echoesPassedThrough(view)].filter(
    (each) => each !== undefined,
  );

/** Service ports for which an echo answers: none where a policy that can't be served has every request fail. */
const echoes = ({ unreachable }: Loop): Backend[] =>
  unreachable.filter(({ tls }) => tls?.refusal === undefined);

/** Each as `namespace/name:port`. */
export const echoed = (loop: Loop): string[] => echoes(loop).map(portName);

/** An echo is within this process: it has no certificate, and is reached without TLS. */
const echoesWithoutTls = ({ loop }: View): string[] =>
  echoes(loop).flatMap((backend) => {
    const { namespace, service, port, tls } = backend;
    if (!tls) return [];
    const names = tls.subjectAltNames?.map(({ value }) => value) ?? [tls.hostname];
    return `warning Service ${namespace}/${service}: the echo in its place is reached at port ${port} without TLS, so BackendTLSPolicy ${tls.policy} is not tried here. A cluster takes only a certificate for ${names.join(' or ')}, and answers 502 for any other. Fix: --backend ${portName(backend)}=http://<host>:<port>, where a server with such a certificate listens.`;
  });

/** Nor does it speak TLS itself, which a client expects behind a listener that passes connections through. */
const echoesPassedThrough = ({ loop }: View): string[] => {
  const passed = new Set([...loop.translation.snapshots.values()].flatMap(backendsPassedThrough));
  return echoes(loop)
    .filter(({ key }) => passed.has(key))
    .map((backend) => {
      const { namespace, service } = backend;
      return `warning Service ${namespace}/${service}: a TLSRoute passes connections through to it, and the echo in its place does not speak TLS, so no handshake succeeds here. Fix: --backend ${portName(backend)}=tcp://<host>:<port>, where a server with a certificate listens.`;
    });
};

function backendsPassedThrough({ resources }: Snapshot): BackendKey[] {
  const through = new Set(
    resources.flatMap((each) =>
      each.type === 'listener' && each.tlsMode === 'Passthrough' ? [each.key] : [],
    ),
  );
  return resources.flatMap((each) =>
    each.type === 'tls-rule' && each.parents.some(({ listener }) => through.has(listener))
      ? each.backends.flatMap(({ backend }) => backend ?? [])
      : [],
  );
}

const portName = ({ namespace, service, port }: Backend) => `${namespace}/${service}:${port}`;

/** Objects in which something is refused, apart from what whole files say. */
export function refusedCount({ read, change }: { read: SourceReport; change: LoopChange }): number {
  const refused = new Set<string>();
  for (const { object, severity } of read.problems) {
    if (object && severity === 'error') refused.add(refKey(object));
  }
  for (const [key, diagnostics] of change.diagnostics) {
    if (diagnostics.some(({ severity }) => severity === 'error')) refused.add(key);
  }
  return refused.size;
}

/** Of a change: by object, and by data plane. */
export function diagnosticsOf({
  diagnostics,
  gateways,
}: LoopChange): (readonly [string, readonly Diagnostic[]])[] {
  return [
    ...diagnostics,
    ...gateways.map(
      ({ gateway, diagnostics: own }) => [`data plane ${gateway.namespace}/${gateway.name}`, own] as const,
    ),
  ];
}
