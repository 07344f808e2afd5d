/** The Kubernetes objects of an app, each with the path of the construct that made it. */
import { ApiObject } from 'cdk8s';
import type { IConstruct } from 'constructs';
import type { RawObject } from '../gateway-runtime/api/object.ts';
import { teamOf } from './role.ts';
import { MATERIALIZE, type SynthHooks } from './synth-hooks.ts';
import type { TeamRef } from './team.ts';

export interface AppObject {
  /** As it is applied, with every value resolved. */
  readonly object: RawObject;
  /** The construct, such as `shop/cart`. */
  readonly path: string;
  /** The team in whose chart the construct stands; none where it is the platform's. */
  readonly team?: TeamRef;
}

/** Brings the objects of a tree up to date with what was said to its constructs. */
function materialize(root: IConstruct): void {
  for (const construct of root.node.findAll()) {
    (construct as SynthHooks)[MATERIALIZE]?.();
  }
}

/** All objects of an app in the order of its constructs, those of nested charts and includes too. Nothing is checked. */
export function objectsOf(app: IConstruct): AppObject[] {
  materialize(app);
  return app.node
    .findAll()
    .filter((construct) => ApiObject.isApiObject(construct))
    .map((construct) => {
      const team = teamOf(construct);
      const object = construct.toJson() as RawObject;
      return { object, path: pathOf(construct), ...(team && { team }) };
    });
}

/** The path that people wrote: a construct calls the object that it stands for `Resource`, and several `Resource-...`. */
function pathOf(object: ApiObject): string {
  return /^Resource(-[01]+)?$/.test(object.node.id) ? object.node.scope!.node.path : object.node.path;
}
