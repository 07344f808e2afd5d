/**
 * Which of two states of a Gateway is the newer one. The content of both is named by hashes, which tell equal from unequal but
 * not early from late.
 */
import { integer } from '../api/schema.ts';
import { exactly } from './exactly.ts';

export interface Order {
  /** Of the leader that held the Lease: grows with every change of leader. */
  readonly epoch: number;
  /**
   * Grows within an epoch, and means the same on every replica of the control plane; two states of the same sequence may
   * differ, and then the one that came last counts.
   */
  readonly sequence: number;
}

const count = () => integer({ min: 0, max: Number.MAX_SAFE_INTEGER });

export const order = exactly<Order>({ epoch: count(), sequence: count() });

export function isOlder(a: Order, b: Order): boolean {
  return a.epoch === b.epoch ? a.sequence < b.sequence : a.epoch < b.epoch;
}

export const orderText = ({ epoch, sequence }: Order): string => `${epoch}.${sequence}`;
