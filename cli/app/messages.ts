/** What the command line and the process that runs an app say to each other. Plain data. */

/** To the child: load this app now. */
export interface LoadRequest {
  readonly load: string;
}

/** One object of an app: as JSON, so that an unchanged one is seen to be unchanged without reading it. */
export interface AppObject {
  readonly json: string;
  /** The construct path. */
  readonly path: string;
}

/** What went wrong in an app, without a stack trace. */
export interface AppProblem {
  readonly message: string;
  /** Absolute path of the file at fault, where it is one of the user's. */
  readonly file?: string;
  readonly line?: number;
  readonly column?: number;
}

export type AppReply =
  /** The libraries are imported; a load will be quick from here. */
  | { readonly type: 'warm' }
  | { readonly type: 'loaded'; readonly objects: readonly AppObject[]; readonly files: readonly string[] }
  | { readonly type: 'failed'; readonly problem: AppProblem; readonly files: readonly string[] };
