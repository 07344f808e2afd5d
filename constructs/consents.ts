/** The ReferenceGrants of an app: what owners of namespaces let others refer to, as far as the app knows. */
import { ApiObject } from 'cdk8s';
import type { IConstruct } from 'constructs';
import { type KindObject, parse } from '../gateway-runtime/api/kinds.ts';
import { GATEWAY_GROUP } from '../gateway-runtime/api/names.ts';
import type { RawObject } from '../gateway-runtime/api/object.ts';

export interface AppReferenceGrant {
  readonly namespace: string;
  readonly name: string;
  readonly spec: KindObject<'ReferenceGrant'>['spec'];
}

/** Sorted by namespace and name. What breaks a field rule consents to nothing: the checks report it. */
export function referenceGrantsOf(app: IConstruct): AppReferenceGrant[] {
  return app.node.root.node
    .findAll()
    .filter((each) => ApiObject.isApiObject(each))
    .flatMap((object) => {
      if (object.kind !== 'ReferenceGrant' || object.apiGroup !== GATEWAY_GROUP) return [];
      const parsed = parse(object.toJson() as RawObject);
      if (parsed.outcome !== 'known') return [];
      const { spec } = parsed.object as KindObject<'ReferenceGrant'>;
      return [{ namespace: parsed.ref.namespace, name: parsed.ref.name, spec }];
    })
    .sort((a, b) => (`${a.namespace}/${a.name}` < `${b.namespace}/${b.name}` ? -1 : 1));
}
