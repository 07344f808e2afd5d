/** What the compiler says of paths, where a grant was limited to some of them or some of it was delegated. Types only; synth has `path-limits.ts`. */
import type { PathCondition } from './match.ts';

export declare const givenAway: unique symbol;
/** A grant of which these paths are another team's now. The compiler alone knows of it. */
export interface GivenAway<Given extends string> {
  readonly [givenAway]?: Given;
}

/** The paths below which routes on this may be; `/` where they may be anywhere. */
export type PathsOf<On> = On extends readonly (infer Each)[]
  ? PathsOf<Each>
  : On extends { readonly paths: readonly (infer Path extends string)[] }
    ? Path
    : '/';

/** The paths that were delegated to others; empty for none. */
export type GivenOf<On> = On extends readonly (infer Each)[]
  ? GivenOf<Each>
  : On extends GivenAway<infer Given>
    ? Given
    : '';

/** A path and all below it. */
type Below<Path extends string> = Path extends '/' ? string : Path | `${Path}/${string}`;

/** One asked path: itself where it lies below one of `Paths` and below none of `Given`, else a sentence. */
type PathWithin<Asked extends string, Paths extends string, Given extends string> = string extends Paths
  ? undefined
  : `/${string}` extends Asked
    ? undefined
    : Asked extends Below<Paths>
      ? string extends Given
        ? undefined
        : Asked extends Below<Exclude<Given, ''>>
          ? `${Asked} was delegated to another team (delegated: ${Exclude<Given, ''>} and all below)`
          : undefined
      : `${Asked} is outside this grant (granted: ${Paths} and all below)`;

/** What `path` takes in a rule: the condition, or a sentence that says why not. Of expressions synth alone can tell. */
export type ConditionWithin<Asked, Paths extends string, Given extends string> =
  Asked extends PathCondition<'Exact' | 'PathPrefix', infer Path>
    ? PathWithin<Path, Paths, Given> extends infer Problem extends string
      ? Problem
      : Asked
    : Asked;

/** What `delegate()` takes as path: one strictly below what the grant itself is for, and not given away yet. */
export type DelegatedPath<Asked extends string, Paths extends string, Given extends string> = Asked extends
  | '/'
  | `${string}/`
  ? `a path that is delegated has no "/" at its end, and something before it`
  : Asked extends Paths
    ? `${Asked} is all of this grant: delegate a path below it`
    : PathWithin<Asked, Paths, Given> extends infer Problem extends string
      ? Problem
      : Asked;
