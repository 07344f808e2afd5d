/** What a replay counts. The memory that it takes does not grow with the log. */
import type { ChangeSeverity } from '../diff/region.ts';
import { ruleField } from '../snapshot/rule-field.ts';
import type { HttpRule } from '../snapshot/snapshot.ts';
import type { Change } from './verdict.ts';

/** Kinds of change that are told one by one; the others are added up. */
const MOST_GROUPS = 1_000;
/** Names that a log brings, such as those of teams. */
const MOST_NAMES = 1_000;
/** Lines that can't be read and are shown. */
const SHOWN_LINES = 3;
const LONGEST_SHOWN = 160;

export interface UnreadLine {
  /** From 1. */
  readonly line: number;
  readonly problem: string;
  /** The beginning of it. */
  readonly text: string;
}

/** Requests that change in one way: from one rule to another, or to none. */
export interface ChangeGroup {
  readonly severity: ChangeSeverity;
  readonly team: string;
  requests: number;
  readonly before: ChangeSide;
  readonly after: ChangeSide;
  /** The first of them: method and URL, without the query. */
  readonly example: string;
}

export interface ChangeSide {
  /** In words. */
  readonly outcome: string;
  /** `HTTPRoute shop/store spec.rules[0]` */
  readonly rule?: string;
}

export interface TeamTotals {
  readonly team: string;
  requests: number;
  lost: number;
  moved: number;
  altered: number;
  new: number;
  undecided: number;
}

export interface ReplayTotals {
  /** All lines but empty ones. */
  readonly lines: number;
  /** Lines that are none of the format. */
  readonly unread: { readonly count: number; readonly first: readonly UnreadLine[] };
  /** Lines of the format about what was no valid request. */
  readonly noRequests: number;
  readonly requests: number;
  readonly unchanged: number;
  readonly lost: number;
  readonly moved: number;
  readonly altered: number;
  readonly new: number;
  /** Of `lost`: those for which no rule is left, or no listener. */
  readonly newly404: number;
  readonly undecided: number;
  /** What the log had to say for these to be decided, and how many they are. */
  readonly undecidedFor: readonly { readonly missing: string; readonly requests: number }[];
  /** By name; `-` for requests that no rule takes, before or after. */
  readonly teams: readonly TeamTotals[];
  /** The worst first, and of those the most frequent. */
  readonly changes: readonly ChangeGroup[];
  /** Requests of more changes than are told one by one. */
  readonly otherChanges: number;
}

export const NO_TEAM = '-';

const SEVERITY_ORDER: readonly Change[] = ['lost', 'moved', 'altered', 'new', 'unchanged'];

export class Totals {
  lines = 0;
  noRequests = 0;
  requests = 0;
  readonly #changes = { unchanged: 0, lost: 0, moved: 0, altered: 0, new: 0 };
  #unread = 0;
  readonly #firstUnread: UnreadLine[] = [];
  #newly404 = 0;
  #undecided = 0;
  readonly #undecidedFor = new Map<string, number>();
  readonly #teams = new Map<string, TeamTotals>();
  readonly #groups = new Map<string, ChangeGroup>();
  #otherChanges = 0;

  unread(problem: string, text: string): void {
    this.#unread++;
    if (this.#firstUnread.length >= SHOWN_LINES) return;
    const shown = text.length > LONGEST_SHOWN ? `${text.slice(0, LONGEST_SHOWN)}...` : text;
    // biome-ignore lint/suspicious/noControlCharactersInRegex: a log can hold what a terminal obeys
    this.#firstUnread.push({ line: this.lines, problem, text: shown.replace(/[\x00-\x1f\x7f-\x9f]/g, '?') });
  }

  changed(change: Change, team: string): void {
    this.requests++;
    this.#changes[change]++;
    const totals = this.#team(team);
    totals.requests++;
    if (change !== 'unchanged') totals[change]++;
  }

  /** One more of a change that was counted by `changed`; `group` is asked for where it is the first of its key. */
  grouped(key: string, is404: boolean, group: () => Omit<ChangeGroup, 'requests'>): void {
    if (is404) this.#newly404++;
    const known = this.#groups.get(key);
    if (known) known.requests++;
    else if (this.#groups.size < MOST_GROUPS) this.#groups.set(key, { ...group(), requests: 1 });
    else this.#otherChanges++;
  }

  /** @param missing what the log does not say */
  undecided(missing: string, team: string): void {
    this.requests++;
    this.#undecided++;
    const totals = this.#team(team);
    totals.requests++;
    totals.undecided++;
    const shown =
      this.#undecidedFor.has(missing) || this.#undecidedFor.size < MOST_NAMES ? missing : 'other things';
    this.#undecidedFor.set(shown, (this.#undecidedFor.get(shown) ?? 0) + 1);
  }

  #team(name: string): TeamTotals {
    const team = this.#teams.has(name) || this.#teams.size < MOST_NAMES ? name : 'others';
    const known = this.#teams.get(team);
    if (known) return known;
    const fresh = { team, requests: 0, lost: 0, moved: 0, altered: 0, new: 0, undecided: 0 };
    this.#teams.set(team, fresh);
    return fresh;
  }

  get result(): ReplayTotals {
    return {
      lines: this.lines,
      unread: { count: this.#unread, first: this.#firstUnread },
      noRequests: this.noRequests,
      requests: this.requests,
      ...this.#changes,
      newly404: this.#newly404,
      undecided: this.#undecided,
      undecidedFor: [...this.#undecidedFor]
        .map(([missing, requests]) => ({ missing, requests }))
        .sort((a, b) => b.requests - a.requests || (a.missing < b.missing ? -1 : 1)),
      teams: [...this.#teams.values()].sort((a, b) => (a.team < b.team ? -1 : 1)),
      changes: [...this.#groups.values()].sort(
        (a, b) =>
          SEVERITY_ORDER.indexOf(a.severity) - SEVERITY_ORDER.indexOf(b.severity) || b.requests - a.requests,
      ),
      otherChanges: this.#otherChanges,
    };
  }
}

export function ruleName({ source }: HttpRule): string {
  return `${source.kind} ${source.namespace}/${source.name} ${ruleField(source)}`;
}

/** That a rule belongs to, or its namespace where no team is known. */
export const teamOf = (rule: HttpRule | undefined): string =>
  rule ? (rule.source.team ?? rule.source.namespace) : NO_TEAM;
