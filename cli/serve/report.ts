/** What `serve` has to tell, whatever form it is told in. */
import type { ObjectRef } from '../../gateway-runtime/api/object.ts';
import type { BackendMapping } from '../../gateway-runtime/control/backend-mapping.ts';
import type { Loop, LoopChange } from '../../gateway-runtime/control/loop.ts';
import type { PortPlan } from '../../gateway-runtime/control/port-plan.ts';
import type { Diagnostic, Origin } from '../../gateway-runtime/snapshot/diagnostic.ts';
import type { AppProblem } from '../app/messages.ts';
import type { SourceReport } from '../sources.ts';

/** What is served now. */
export interface View {
  readonly loop: Loop;
  readonly ports: PortPlan;
  readonly address: string;
  /** The file with the root of the certificates that were made here, if any were. */
  readonly caFile: string | undefined;
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
  readonly milliseconds: number;
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
  /** From now on edits are noticed. */
  watching(): void;
  changed(changed: Changed): void;
  /** All type errors of an app, after each check. */
  typeErrors(app: string, problems: readonly AppProblem[]): void;
  /** Something in this program went wrong, not in the user's files. */
  failed(error: unknown): void;
  stopping(): void;
}

/** An edit of which nothing could be used. */
export function isRefused({ read, change }: Changed): boolean {
  return change.gateways.length === 0 && read.problems.some(({ severity }) => severity === 'error');
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
