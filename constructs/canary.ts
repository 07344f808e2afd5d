import { Construct } from 'constructs';
import { type Backend, backendsOf, type ServiceConstruct, type Split } from './backend.ts';

export interface CanaryProps {
  /** What serves today. */
  readonly stable: Backend | ServiceConstruct;
  /** What is tried out. */
  readonly canary: Backend | ServiceConstruct;
  /** The shares of stable and canary: `[3, 1]` sends one request of four to the canary. */
  readonly weights: readonly [stable: number, canary: number];
}

/** Two versions with fixed shares, for one rule. */
export function canary(props: CanaryProps): Split {
  const weighted = (target: Backend | ServiceConstruct, weight: number) =>
    ({ ...backendsOf(target)?.[0], weight }) as Backend;
  return {
    backends: [weighted(props.stable, props.weights[0]), weighted(props.canary, props.weights[1])],
  };
}

/** Two versions with fixed shares, declared once and used by the rules of several routes. */
export class Canary extends Construct implements Split {
  readonly backends: readonly Backend[];

  constructor(scope: Construct, id: string, props: CanaryProps) {
    super(scope, id);
    this.backends = canary(props).backends;
  }
}
