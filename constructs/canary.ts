import { Construct } from 'constructs';
import { type Backend, backendsOf, type ServiceConstruct, type Split } from './backend.ts';
import { propsOr, propsProblems } from './props.ts';

export interface CanaryProps {
  /** What serves today. */
  readonly stable: Backend | ServiceConstruct;
  /** What is tried out. */
  readonly canary: Backend | ServiceConstruct;
  /** The shares of stable and canary: `[3, 1]` sends one request of four to the canary. */
  readonly weights: readonly [stable: number, canary: number];
}

function canaryProblems(props: CanaryProps): string[] {
  const problems = propsProblems('canary()', props, ['stable', 'canary', 'weights']);
  const { weights, ...versions } = propsOr(props);
  const isPair = Array.isArray(weights) && weights.length === 2;
  if (!isPair || weights.some((weight) => typeof weight !== 'number'))
    problems.push(
      `canary() takes weights of two numbers, such as weights: [3, 1], this is ${JSON.stringify(weights)}`,
    );
  for (const version of ['stable', 'canary'] as const) {
    if (backendsOf(versions[version])?.length !== 1)
      problems.push(`canary() takes one service() as ${version}, this is ${String(versions[version])}`);
  }
  return problems;
}

/** Two versions with fixed shares, for one rule. */
export function canary(props: CanaryProps): Split {
  const problems = canaryProblems(props);
  if (problems.length > 0) return { backends: [], problems };
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
    const { backends, problems = [] } = canary(props);
    this.backends = backends;
    this.node.addValidation({ validate: () => [...problems] });
  }
}
