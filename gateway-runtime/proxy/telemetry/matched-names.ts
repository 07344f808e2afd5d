/**
 * What the access log says of headers and query parameters: only of those that a match of the listener asks for, so that a log tells
 * why a request went where it went, and what another configuration would do with it (`gatewright replay`).
 *
 * Values of names that say they are credentials (`snapshot/credential.ts`) are not in it, matched on or not.
 */
import { queryValue } from '../../match/query.ts';
import type { MatchRequest } from '../../match/request.ts';
import { isCredentialName } from '../../snapshot/credential.ts';
import type { HttpRule, ListenerKey } from '../../snapshot/snapshot.ts';

/** Of each kind, for each listener: the first by name. Of others a line says nothing. */
const MOST_NAMES = 16;
const LONGEST_VALUE = 256;

/** Times that matches of a listener ask for each name. */
interface Counts {
  readonly headers: Map<string, number>;
  readonly query: Map<string, number>;
}

/** A name as it stands in a line, and whether its value may. */
interface LoggedName {
  readonly name: string;
  readonly text: string;
  readonly isShown: boolean;
}

interface LoggedNames {
  readonly headers: readonly LoggedName[];
  readonly query: readonly LoggedName[];
}

/** Text that stands in JSON as it is. */
const PLAIN = /^[ !#-[\]-~]*$/;

export class MatchedNames {
  readonly #counts = new Map<ListenerKey, Counts>();
  /** Made where a line asks. */
  readonly #names = new Map<ListenerKey, LoggedNames>();

  /** Costs what the rule has of conditions. */
  put(rule: HttpRule): void {
    this.#count(rule, 1);
  }

  /** A rule as it was put. */
  remove(rule: HttpRule): void {
    this.#count(rule, -1);
  }

  #count(rule: HttpRule, by: 1 | -1): void {
    for (const { headers, queryParams } of rule.matches) {
      if (headers.length + queryParams.length === 0) continue;
      for (const { listener } of rule.parents) {
        const counts = this.#counts.get(listener) ?? { headers: new Map(), query: new Map() };
        this.#counts.set(listener, counts);
        for (const { name } of headers) add(counts.headers, name, by);
        for (const { name } of queryParams) add(counts.query, name, by);
        if (counts.headers.size + counts.query.size === 0) this.#counts.delete(listener);
        this.#names.delete(listener);
      }
    }
  }

  /** `,"matched":{"headers":{"x-tier":"gold"},"query":{"page":null}}`; empty where no match of the listener asks for any. */
  text(listener: ListenerKey, request: MatchRequest): string {
    if (this.#counts.size === 0) return '';
    const names = this.#namesOf(listener);
    if (!names) return '';
    const { headers, query } = names;
    let text = ',"matched":{';
    for (let i = 0; i < headers.length; i++) {
      const each = headers[i]!;
      text += (i === 0 ? '"headers":{' : ',') + each.text + valueText(each, request.header(each.name));
    }
    if (headers.length > 0) text += query.length > 0 ? '},' : '}';
    for (let i = 0; i < query.length; i++) {
      const each = query[i]!;
      text +=
        (i === 0 ? '"query":{' : ',') + each.text + valueText(each, queryValue(request.query, each.name));
    }
    return `${text}${query.length > 0 ? '}' : ''}}`;
  }

  #namesOf(listener: ListenerKey): LoggedNames | undefined {
    const known = this.#names.get(listener);
    if (known) return known;
    const counts = this.#counts.get(listener);
    if (!counts) return undefined;
    const names = { headers: logged(counts.headers), query: logged(counts.query) };
    this.#names.set(listener, names);
    return names;
  }
}

function add(counts: Map<string, number>, name: string, by: 1 | -1): void {
  const count = (counts.get(name) ?? 0) + by;
  if (count > 0) counts.set(name, count);
  else counts.delete(name);
}

const logged = (counts: Map<string, number>): LoggedName[] =>
  [...counts.keys()]
    .sort()
    .slice(0, MOST_NAMES)
    .map((name) => ({ name, text: `${JSON.stringify(name)}:`, isShown: !isCredentialName(name) }));

/** `null`: the request has none. `true`: it has one that is not said. */
function valueText({ isShown }: LoggedName, value: string | undefined): string {
  if (value === undefined) return 'null';
  if (!isShown || value.length > LONGEST_VALUE) return 'true';
  return PLAIN.test(value) ? `"${value}"` : JSON.stringify(value);
}
