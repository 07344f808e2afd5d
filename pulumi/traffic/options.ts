/** What a program says to `previewTraffic`, checked: a word that is not understood must not refuse less than was meant. */
import {
  anything,
  number,
  oneOf,
  optional,
  read,
  type Shape,
  texts,
  type,
  valueProblems,
} from '../../constructs/props.ts';
import { type Approval, readApprovals } from '../../gateway-runtime/preview/approval.ts';
import { REFUSABLE, type Refusable } from '../../gateway-runtime/preview/traffic-policy.ts';
import type { ClusterAccess } from '../kubectl.ts';

export interface TrafficOptions extends ClusterAccess {
  /**
   * Changes that fail the preview and the update.
   * @default - none
   */
  readonly refuse?: readonly Refusable[];
  /**
   * Those of them that are meant.
   * @default - none
   */
  readonly approve?: readonly Approval[];
  /**
   * Names of GatewayClasses: Gateways of others are not compared.
   * @default - Gateways of any class
   */
  readonly classes?: readonly string[];
  /**
   * Seconds that reading the cluster may take.
   * @default 30
   */
  readonly timeout?: number;
}

const CALL = 'previewTraffic()';

const OPTIONS: Shape<TrafficOptions> = {
  kubeconfig: optional(anything),
  context: optional(anything),
  refuse: optional(type('a list', Array.isArray)),
  approve: optional(type('a list', Array.isArray)),
  classes: optional(texts),
  timeout: optional(number),
};

const refusable = oneOf(...REFUSABLE);

export interface TrafficSettings {
  readonly refuse: readonly Refusable[];
  readonly approve: readonly Approval[];
  readonly classes: readonly string[] | undefined;
  readonly timeout: number;
  readonly access: ClusterAccess;
}

/** Throws an Error where something is not understood. */
export function readOptions(given: TrafficOptions): TrafficSettings {
  const { props, problems } = read(CALL, given, OPTIONS);
  const { refuse = [], approve = [], classes, timeout = 30, ...access } = props;
  const approvals = readApprovals(approve, 'approve');
  const all = [
    ...problems,
    ...refuse.flatMap((each, index) => valueProblems(CALL, `refuse[${index}]`, refusable, each)),
    ...approvals.problems.map((each) => `${CALL}: ${each}`),
    ...(timeout > 0 ? [] : [`${CALL} takes a number of seconds above 0 as timeout, this is ${timeout}`]),
  ];
  if (all.length > 0) throw new Error(all.join('; '));
  return { refuse, approve: approvals.approvals, classes, timeout, access };
}
