/** What the command line and the process that runs an app say to each other. Plain data. */

/** To the child: load the app now, and give its objects, or also write them as cdk8s does. */
export interface LoadRequest {
  readonly load: string;
  readonly synth?: { readonly folder: string } | 'text';
}

/** A line of the user's own files. */
export interface Place {
  /** Absolute. */
  readonly file: string;
  /** From 1. */
  readonly line: number;
}

/** One object of an app: as JSON, so that an unchanged one is seen to be unchanged without reading it. */
export interface AppObject {
  readonly json: string;
  /** The construct path. */
  readonly path: string;
  /** Where the construct was made, where that is known. */
  readonly place?: Place;
  /** Constructs that have a part each in an object of several: the grants of a Grant, by name. */
  readonly parts?: Readonly<Record<string, { readonly path: string; readonly place: Place }>>;
}

/** What went wrong in an app, without a stack trace. */
export interface AppProblem {
  readonly message: string;
  /** The construct, where it is one that found itself invalid. */
  readonly construct?: string;
  /** Absolute path of the file at fault, where it is one of the user's. */
  readonly file?: string;
  readonly line?: number;
  readonly column?: number;
  /** Whether the text is no program at all, so that running it says so too. */
  readonly isSyntax?: true;
}

export type AppReply =
  /** The libraries are imported; a load will be quick from here. */
  | { readonly type: 'warm' }
  | {
      readonly type: 'loaded';
      readonly objects: readonly AppObject[];
      /** What the app may do and probably should not. */
      readonly warnings: readonly AppProblem[];
      /** YAML of everything, where it was asked for. */
      readonly text?: string;
      /** The user's own modules that were imported, absolute: what to watch. */
      readonly files: readonly string[];
    }
  | {
      readonly type: 'failed';
      readonly problems: readonly AppProblem[];
      /** What it would give all the same, where only its checks failed: for `explain` and `status`, which say why. */
      readonly objects?: readonly AppObject[];
      readonly files: readonly string[];
    };
