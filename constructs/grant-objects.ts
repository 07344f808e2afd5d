/** Grant objects of a gateway: what each team was granted, for those who hold it to that in a cluster. */
import { Construct } from 'constructs';
import { GRANT_KIND } from '../gateway-runtime/api/grant.ts';
import { GRANTED_LISTENERS, TEAM_LABEL } from '../gateway-runtime/api/names.ts';
import { consentsTo } from '../gateway-runtime/grants/consents.ts';
import { gatewayObject } from './api-object.ts';
import type { Attachment } from './attachment.ts';
import { requireChecks } from './checks.ts';
import { referenceGrantsOf } from './consents.ts';
import type { GatewayBase } from './gateway.ts';
import type { ListenerSpec } from './listener.ts';
import { boundedName } from './naming.ts';
import { ATTACHMENTS, MATERIALIZE, type SynthHooks } from './synth-hooks.ts';
import type { TeamRef } from './team.ts';

type Gateway = GatewayBase<Readonly<Record<string, ListenerSpec>>>;

/** A team with all that it has of a gateway. */
export interface TeamGrant {
  readonly team: TeamRef;
  readonly attachments: readonly Attachment[];
  /** Of the Grant object. */
  readonly name: string;
}

/** What a gateway granted by now, by team, in the order of the first grant to each. */
export function teamGrants(gateway: Gateway): TeamGrant[] {
  const byTeam = new Map<string, { team: TeamRef; attachments: Attachment[] }>();
  for (const each of (gateway as SynthHooks)[ATTACHMENTS]?.() ?? []) {
    if (!each.team) continue;
    const known = byTeam.get(each.team.name);
    if (known) known.attachments.push(each);
    else byTeam.set(each.team.name, { team: each.team, attachments: [each] });
  }
  return [...byTeam.values()].map((each) => ({ ...each, name: boundedName([gateway.name, each.team.name]) }));
}

/** One Grant for each team of a gateway, in its namespace; and on the Gateway, where they are asked for. */
export class GrantObjects extends Construct {
  readonly #gateway: Gateway;

  constructor(gateway: Gateway) {
    super(gateway, 'Grants');
    this.#gateway = gateway;
    // Of teams where the gateway itself is, it says more.
    requireChecks(this, () =>
      sharedNamespaces(teamGrants(gateway).filter(({ team }) => team.namespace !== gateway.namespace)),
    );
  }

  [MATERIALIZE](): void {
    for (const { node } of this.node.children) this.node.tryRemoveChild(node.id);
    const { name: gatewayName, namespace, node, object } = this.#gateway;
    const asking = grantedListeners(this.#gateway);
    if (asking) object.metadata.addAnnotation(GRANTED_LISTENERS, asking);
    const consents = referenceGrantsOf(this);
    for (const { team, attachments, name } of teamGrants(this.#gateway)) {
      const references = consentsTo(team.namespace, consents);
      gatewayObject(this, team.name, {
        kind: GRANT_KIND,
        name,
        namespace,
        labels: { [TEAM_LABEL]: team.name },
        spec: () => ({
          gatewayName,
          team: team.name,
          namespace: team.namespace,
          grants: attachments.map((each) => entry(each, node.path)),
          ...(Object.keys(references).length > 0 ? { references } : {}),
        }),
      });
    }
  }
}

/** A route is judged by its namespace, so what one team there has would be the other's. */
function sharedNamespaces(grants: readonly TeamGrant[]): string[] {
  const first = new Map<string, string>();
  return grants.flatMap(({ team: { name, namespace } }) => {
    const other = first.get(namespace);
    if (other === undefined) first.set(namespace, name);
    return other === undefined
      ? []
      : [
          `teams ${other} and ${name} are both in namespace ${namespace}: give each team a namespace of its own`,
        ];
  });
}

/** The listeners of the Gateway object that admit nobody else without a Grant: all but those that are open to whole namespaces. */
function grantedListeners(gateway: Gateway): string {
  const open = Object.keys(gateway._specs).filter((name) => gateway._specs[name]!.routes);
  if (open.length === 0) return '*';
  const names = gateway._spec().listeners.map(({ name }) => name);
  return names.filter((name) => !open.includes(name)).join(',');
}

function entry(attachment: Attachment, gatewayPath: string): Record<string, unknown> {
  const { title, team, hostnames, kinds, paths, ownListeners } = attachment;
  const prefix = `grant ${gatewayPath}/`;
  return {
    name: title.startsWith(prefix) ? title.slice(prefix.length) : team!.name,
    hostnames,
    kinds,
    listeners: listenersOf(attachment),
    paths,
    delegated: attachment.delegations().map(({ path, hostnames: at, team: to }) => ({
      path,
      hostnames: at,
      team: to.name,
      namespace: to.namespace,
    })),
    ...(ownListeners.length > 0
      ? { ownListeners: ownListeners.map(({ port }) => ({ port, protocol: 'HTTPS' })) }
      : {}),
  };
}

/** The listeners by the object that has them. */
function listenersOf(attachment: Attachment): Record<string, unknown>[] {
  const byObject = new Map<string, { kind: string; name: string; sectionNames: string[] }>();
  for (const { kind, name, sectionName } of attachment.places()) {
    const key = `${kind}/${name}`;
    const known = byObject.get(key);
    if (known) known.sectionNames.push(sectionName);
    else byObject.set(key, { kind, name, sectionNames: [sectionName] });
  }
  return [...byObject.values()];
}
