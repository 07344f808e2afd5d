import { Construct } from 'constructs';
import { type Backend, backendsOf, type ServiceConstruct, type Split } from './backend.ts';
import { requireChecks } from './checks.ts';
import { noted, problemsOf, read, type Shape, type } from './props.ts';

export interface CanaryProps<Namespace extends string = string, IsLent extends boolean = boolean> {
  /** What serves today. */
  readonly stable: Backend<Namespace, string, IsLent> | ServiceConstruct;
  /** What is tried out. */
  readonly canary: Backend<Namespace, string, IsLent> | ServiceConstruct;
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
export function canary<const Namespace extends string = never, const IsLent extends boolean = false>(
  props: CanaryProps<Namespace, IsLent>,
): Split<Namespace, IsLent> {
  const { problems } = read<CanaryProps>('canary()', props, SHAPE);
  if (problems.length > 0) return noted({ backends: [] }, problems);
  const weighted = (target: Backend | ServiceConstruct, weight: number) =>
    ({ ...backendsOf(target)?.[0], weight }) as Backend<Namespace, string, IsLent>;
  return {
    backends: [weighted(props.stable, props.weights[0]), weighted(props.canary, props.weights[1])],
  };
}

/** Two versions with fixed shares, declared once and used by the rules of several routes. */
export class Canary<const Namespace extends string = never, const IsLent extends boolean = false>
  extends Construct
  implements Split<Namespace, IsLent>
{
  readonly backends: readonly Backend<Namespace, string, IsLent>[];

  constructor(scope: Construct, id: string, props: CanaryProps<Namespace, IsLent>) {
    super(scope, id);
    const split = canary(props);
    this.backends = split.backends;
    requireChecks(this, () => [...problemsOf(split)]);
  }
}
