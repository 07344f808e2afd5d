/** Charts that carry a role: what may be made in them is checked by the compiler and at synth. */
import { Chart, type ChartProps } from 'cdk8s';
import type { Construct } from 'constructs';
import { clusterObject } from './api-object.ts';
import { frozenTeam, isAttachment } from './attachment.ts';
import { requireChecks } from './checks.ts';
import { exportGrants } from './export-grants.ts';
import { fixFields } from './fixed.ts';
import type { OwnAttachment } from './granted.ts';
import { noteUse } from './granted-elsewhere.ts';
import { anything, flag, optional, read, record, type Shape, text } from './props.ts';
import { ON_OF_CHART, TEAM_OF_CHART } from './role.ts';
import { isTeamRef, type TeamRef, teamType } from './team.ts';

const OF_EVERY_CHART: Shape<Omit<ChartProps, 'namespace'>> = {
  labels: optional(record('texts by name', text)),
  disableResourceNameHashes: optional(flag),
};
const OF_PLATFORM: Shape<PlatformChartProps> = { ...OF_EVERY_CHART, namespace: text };
const OF_TEAM: Shape<TeamChartProps<string>> = {
  ...OF_EVERY_CHART,
  team: teamType,
  on: optional(anything),
};

export interface PlatformChartProps extends ChartProps {
  /** The namespace of the gateways, made by this chart. */
  readonly namespace: string;
}

/** What the cluster operator owns: gateways, teams, grants. */
export class PlatformChart extends Chart {
  constructor(scope: Construct, id: string, given: PlatformChartProps) {
    const { props, problems } = read('PlatformChart', given, OF_PLATFORM);
    super(scope, id, props);
    requireChecks(this, () => [...problems]);
    clusterObject(this, 'Namespace', {
      apiVersion: 'v1',
      kind: 'Namespace',
      metadata: { name: props.namespace },
    });
  }

  /**
   * Writes, now, what a team was granted by this chart so far: a small module, and beside it the same as JSON, for the repository of the team to
   * import, and as YAML the objects that its routes attach to, for its tests and previews. There `grants.shop` is what the grant is here, with all that the compiler knows of it and what is enforced on its routes, so that a grant
   * that is narrowed later is an error where the team compiles, and a bound where it synthesizes, before anything is applied. Throws an Error where the team has no grants, and where something is wrong with this chart.
   *
   * @param file The module, from the working directory, such as `grants/shop.ts`.
   * @param team The team; else the one that the file is named after.
   */
  exportGrants(file: string, team?: TeamRef): void {
    exportGrants(this, file, team?.name);
  }
}

export interface TeamChartProps<Name extends string, On = unknown> extends Omit<ChartProps, 'namespace'> {
  /** The team that owns what is in the chart; all of it goes into the team's namespace. */
  readonly team: TeamRef<Name>;
  /**
   * What routes of the chart attach to where they say nothing else, written out in each.
   * @default - each route says it
   */
  readonly on?: OwnAttachment<On, Name>;
}

/** What one team owns: routes and services in its own namespace. Throws an Error where it is given no team. */
export class TeamChart<const Name extends string = string, const On = undefined> extends Chart {
  readonly team: TeamRef<Name>;
  /** What its routes attach to where they say nothing else. */
  readonly on: On;

  constructor(scope: Construct, id: string, given: TeamChartProps<Name, On>) {
    const { props, problems } = read<TeamChartProps<string>>('TeamChart', given, OF_TEAM);
    const { team, on, ...rest } = props;
    super(scope, id, { ...rest, ...(team && { namespace: team.namespace }) });
    if (!isTeamRef(team))
      throw new Error(`${this.node.path}: ${problems.join('; ')}: new TeamChart(app, '${id}', { team })`);
    this.team = team as TeamRef<Name>;
    this.on = on as On;
    fixFields(this, ['team', 'on']);
    Object.defineProperty(this, TEAM_OF_CHART, { value: frozenTeam(this.team) });
    Object.defineProperty(this, ON_OF_CHART, { value: on });
    noteUse(this, [on as unknown].flat().filter(isAttachment));
    requireChecks(this, () => [...problems]);
  }
}
