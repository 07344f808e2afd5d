/** Changes of traffic that are meant: in a Pulumi program, or in a file of the repository. */
import { type FieldProblem, list, object, optional, string } from '../api/schema.ts';

/** A change that is meant. It approves whatever happens there, so it is to be taken out once it is deployed. */
export interface Approval {
  /** `shop.example.com`; `*.example.com` for all below it; `*` for any. */
  readonly host: string;
  /**
   * The path at and below which requests may change their way.
   * @default - any path, and what concerns the listener as a whole
   */
  readonly path?: string;
  /** For who reads it. */
  readonly why: string;
}

const host = string({
  pattern: {
    regex: /^(?:\*|(?:\*\.)?[A-Za-z0-9-]+(?:\.[A-Za-z0-9-]+)*)$/,
    words: 'a hostname, *.example.com or *',
  },
});
const path = string({ pattern: { regex: /^\//, words: "a path that begins with '/'" } });
const why = string({ pattern: { regex: /\S/, words: 'the reason, as a text' } });

const APPROVALS = list(object({ host, path: optional(path), why }));

export interface ReadApprovals {
  readonly approvals: readonly Approval[];
  /** In words, each with its field; where there are any, there are no approvals. */
  readonly problems: readonly string[];
}

/** @param name what the list is called there, for problems: `approve` for `approve[0].why`; empty where it is all that there is */
export function readApprovals(value: unknown, name: string): ReadApprovals {
  const problems: FieldProblem[] = [];
  const approvals = APPROVALS.check(value, name, problems);
  if (problems.length === 0) return { approvals, problems: [] };
  return { approvals: [], problems: problems.map(inWords) };
}

const inWords = ({ field, found, expected, fix }: FieldProblem) =>
  `${field ? `${field}: ` : ''}found ${found}, expected ${expected}${fix ? ` (${fix})` : ''}`;
