import { Construct } from 'constructs';
import { type Backend, backendsOf, type ServiceConstruct, type Split } from './backend.ts';
import { requireChecks } from './checks.ts';
import { noted, problemsOf, read, type Shape, type } from './props.ts';

export interface CanaryProps<Namespace extends string = string> {
  /** What serves today. */
  readonly stable: Backend<Namespace> | ServiceConstruct;
  /** What is tried out. */
  readonly canary: Backend<Namespace> | ServiceConstruct;
  /** The shares of stable and canary: `[3, 1]` sends one request of four to the canary. */
  readonly weights: readonly [stable: number, canary: number];
}

const oneService = type('one service()', (value) => backendsOf(value)?.length === 1);
const SHAPE: Shape<CanaryProps> = {
  stable: oneService,
  canary: oneService,
  weights: type(
    'two numbers, such as [3, 1],',
    (value) =>
      Array.isArray(value) && value.length === 2 && value.every((weight) => typeof weight === 'number'),
  ),
};

/** Two versions with fixed shares, for one rule. */
export function canary<const Namespace extends string = never>(
  props: CanaryProps<Namespace>,
): Split<Namespace> {
  const { problems } = read<CanaryProps>('canary()', props, SHAPE);
  if (problems.length > 0) return noted({ backends: [] }, problems);
  const weighted = (target: Backend | ServiceConstruct, weight: number) =>
    ({ ...backendsOf(target)?.[0], weight }) as Backend<Namespace>;
  return {
    backends: [weighted(props.stable, props.weights[0]), weighted(props.canary, props.weights[1])],
  };
}

/** Two versions with fixed shares, declared once and used by the rules of several routes. */
export class Canary<const Namespace extends string = never> extends Construct implements Split<Namespace> {
  readonly backends: readonly Backend<Namespace>[];

  constructor(scope: Construct, id: string, props: CanaryProps<Namespace>) {
    super(scope, id);
    const split = canary(props);
    this.backends = split.backends;
    requireChecks(this, () => [...problemsOf(split)]);
  }
}
