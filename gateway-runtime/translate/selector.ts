/** Which namespaces a listener or Gateway admits: `from`, and label selectors (metav1.LabelSelector). */
import type { labelSelector } from '../api/fields.ts';
import type { Infer } from '../api/schema.ts';
import type { Objects } from './objects.ts';

export type LabelSelector = Infer<typeof labelSelector>;

export interface AllowedNamespaces {
  readonly from: 'All' | 'Selector' | 'Same' | 'None';
  readonly selector?: LabelSelector;
}

/** How many values each operator takes. */
const OPERATORS: Readonly<Record<string, 'some' | 'none'>> = {
  In: 'some',
  NotIn: 'some',
  Exists: 'none',
  DoesNotExist: 'none',
};

/** What makes a selector unusable, and where. Such a one admits nobody. */
export function selectorProblem({
  from,
  selector,
}: AllowedNamespaces):
  | { readonly field: string; readonly message: string; readonly fix: string }
  | undefined {
  if (from !== 'Selector') return undefined;
  if (!selector) {
    return {
      field: 'selector',
      message: 'found no selector although from is Selector, so no namespace is admitted',
      fix: 'add a selector with matchLabels, or set from to All or Same',
    };
  }
  for (const [index, { operator, values }] of (selector.matchExpressions ?? []).entries()) {
    const field = `selector.matchExpressions[${index}]`;
    const takes = Object.hasOwn(OPERATORS, operator) ? OPERATORS[operator] : undefined;
    if (!takes) {
      return {
        field: `${field}.operator`,
        message: `found the operator ${JSON.stringify(operator)}, so no namespace is admitted`,
        fix: 'use one of In, NotIn, Exists, DoesNotExist',
      };
    }
    if ((takes === 'some') !== (values !== undefined && values.length > 0)) {
      return {
        field: `${field}.values`,
        message: `found ${values?.length ?? 0} values with the operator ${operator}, so no namespace is admitted`,
        fix:
          takes === 'some'
            ? `give ${operator} at least one value`
            : `remove the values: ${operator} takes none`,
      };
    }
  }
  return undefined;
}

/** Whether labels fulfil every requirement of a selector; an empty one has none. */
export function selects(selector: LabelSelector, labelOf: (key: string) => string | undefined): boolean {
  for (const [key, value] of Object.entries(selector.matchLabels ?? {})) {
    if (labelOf(key) !== value) return false;
  }
  return (selector.matchExpressions ?? []).every(({ key, operator, values = [] }) => {
    const value = labelOf(key);
    switch (operator) {
      case 'In':
        return value !== undefined && values.includes(value);
      case 'NotIn':
        // As in Kubernetes, a missing label is not in any list of values.
        return value === undefined || !values.includes(value);
      case 'Exists':
        return value !== undefined;
      case 'DoesNotExist':
        return value === undefined;
      default:
        return false;
    }
  });
}

/** Whether objects of `namespace` are admitted by an object of `home`. */
export function admits(
  allowed: AllowedNamespaces,
  home: string,
  namespace: string,
  objects: Pick<Objects, 'namespaceLabel'>,
): boolean {
  switch (allowed.from) {
    case 'All':
      return true;
    case 'Same':
      return namespace === home;
    case 'Selector':
      return (
        !selectorProblem(allowed) &&
        selects(allowed.selector!, (label) => objects.namespaceLabel(namespace, label))
      );
    default:
      return false;
  }
}

/** `from` in words, for messages: `namespaces with the labels team=shop`. */
export function admittedInWords({ from, selector }: AllowedNamespaces, home: string): string {
  if (from === 'All') return 'every namespace';
  if (from === 'Same') return `namespace ${home} only`;
  if (from === 'None') return 'no namespace';
  const labels = Object.entries(selector?.matchLabels ?? {}).map(([key, value]) => `${key}=${value}`);
  const expressions = (selector?.matchExpressions ?? []).map(
    ({ key, operator, values }) => `${key} ${operator}${values?.length ? ` (${values.join(', ')})` : ''}`,
  );
  const terms = [...labels, ...expressions];
  return terms.length > 0
    ? `namespaces with the labels ${terms.join(' and ')}`
    : 'namespaces that a selector names';
}
