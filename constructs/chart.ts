/** Charts that carry a role: what may be made in them is checked by the compiler and at synth. */
import { Chart, type ChartProps } from 'cdk8s';
import type { Construct, IConstruct } from 'constructs';
import { clusterObject } from './api-object.ts';
import type { TeamRef } from './team.ts';

export interface PlatformChartProps extends ChartProps {
  /** The namespace of the gateways, made by this chart. */
  readonly namespace: string;
}

/** What the cluster operator owns: gateways, teams, grants. */
export class PlatformChart extends Chart {
  constructor(scope: Construct, id: string, props: PlatformChartProps) {
    super(scope, id, props);
    clusterObject(this, 'Namespace', {
      apiVersion: 'v1',
      kind: 'Namespace',
      metadata: { name: props.namespace },
    });
  }
}

export interface TeamChartProps<Name extends string> extends Omit<ChartProps, 'namespace'> {
  /** The team that owns what is in the chart; all of it goes into the team's namespace. */
  readonly team: TeamRef<Name>;
}

/** What one team owns: routes and services in its own namespace. */
export class TeamChart<const Name extends string = string> extends Chart {
  readonly team: TeamRef<Name>;

  constructor(scope: Construct, id: string, props: TeamChartProps<Name>) {
    const { team, ...rest } = props;
    super(scope, id, { ...rest, namespace: team.namespace });
    this.team = team;
  }
}

/** The team whose chart this construct is in. */
export function teamOf(construct: IConstruct): TeamRef | undefined {
  const chart = construct.node.scopes.findLast((scope) => scope instanceof TeamChart);
  return (chart as TeamChart | undefined)?.team;
}
