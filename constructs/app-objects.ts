/** The Kubernetes objects of an app, each with the path of the construct that made it. */
import { ApiObject } from 'cdk8s';
import type { IConstruct } from 'constructs';
import type { RawObject } from '../gateway-runtime/api/object.ts';

export interface AppObject {
  /** As it is applied, with every value resolved. */
  readonly object: RawObject;
  /** The construct, such as `shop/cart`. */
  readonly path: string;
}

/**
 * A construct that knows only at synth which objects it has. By a registered symbol, so that the command line finds it in an
 * app that brings another copy of this package.
 */
export const MATERIALIZE = Symbol.for('gatewright.dev/materialize');

/** Brings the objects of a tree up to date with what was said to its constructs. */
export function materialize(root: IConstruct): void {
  for (const construct of root.node.findAll()) {
    (construct as { [MATERIALIZE]?(): void })[MATERIALIZE]?.();
  }
}

/** All objects of an app in the order of its constructs, those of nested charts and includes too. Nothing is checked. */
export function objectsOf(app: IConstruct): AppObject[] {
  materialize(app);
  return app.node
    .findAll()
    .filter((construct) => ApiObject.isApiObject(construct))
    .map((construct) => ({ object: construct.toJson() as RawObject, path: pathOf(construct) }));
}

/** The path that people wrote: a construct calls the object it stands for `Resource`. */
function pathOf(object: ApiObject): string {
  return object.node.id === 'Resource' ? object.node.scope!.node.path : object.node.path;
}
