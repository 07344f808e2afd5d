/** What no compiler has checked where a construct is written in plain JavaScript. */
import { isNear } from '../gateway-runtime/api/schema.ts';

const KINDS = ['HTTPRoute', 'GRPCRoute'];

const isObject = (value: unknown): value is object =>
  typeof value === 'object' && value !== null && !Array.isArray(value);

/** The props, or none where something else was given; `propsProblems` says so. */
export const propsOr = <Props extends object>(props: Props): Partial<Props> =>
  isObject(props) ? (props as Props) : {};

/** A list, or an empty one where something else was given; `listProblems` says so. */
export const listOr = <Item>(list: readonly Item[] | undefined): readonly Item[] =>
  Array.isArray(list) ? list : [];

/** What is wrong with the props of `call` beside the values: that they are none, or have a key that is not known. */
export function propsProblems(call: string, props: unknown, known: readonly string[]): string[] {
  if (!isObject(props)) return [`${call} takes an object with ${known.join(', ')}, this is ${text(props)}`];
  return Object.keys(props)
    .filter((key) => !known.includes(key))
    .map((key) => {
      const near = known.find((each) => isNear(each.toLowerCase(), key.toLowerCase()));
      return `${call} does not know ${key}: ${near ? `did you mean ${near}?` : `it takes ${known.join(', ')}`}`;
    });
}

/** A list that is none, such as one text in its place. */
export function listProblems(name: string, value: unknown): string[] {
  return Array.isArray(value) ? [] : [`${name} is a list, ${name}: [...], this is ${text(value)}`];
}

const text = (value: unknown) => JSON.stringify(value) ?? String(value);

/** A listener without kinds would admit all of them (AllowedRoutes.kinds), and one with a foreign kind none. */
export function kindProblems(kinds: readonly unknown[]): string[] {
  if (kinds.length === 0)
    return [`no kind is granted: name at least one in kinds (${KINDS.join(', ')}), or leave kinds out`];
  return kinds
    .filter((kind) => !(KINDS as unknown[]).includes(kind))
    .map((kind) => `kind ${String(kind)} can not be granted: kinds takes ${KINDS.join(' and ')}`);
}
