/** ResponseHeaderModifier (HTTPRouteFilter, extended). Edits the answers of backends; answers of the gateway itself stay as they are. */
import type { FilterDefinition } from './definition.ts';
import {
  applyHeaderEdits,
  explainHeaderEdits,
  type HeaderEdits,
  translateHeaderEdits,
} from './header-edits.ts';

const FORBIDDEN: ReadonlyMap<string, string> = new Map();

export const responseHeaderModifier: FilterDefinition<'ResponseHeaderModifier', HeaderEdits> = {
  type: 'ResponseHeaderModifier',
  features: ['HTTPRouteResponseHeaderModification'],
  onRules: true,
  onBackends: true,
  translate: (filter, context) => translateHeaderEdits(filter.responseHeaderModifier!, FORBIDDEN, context),
  compile: (edits) => ({
    response(head) {
      applyHeaderEdits(edits, head);
    },
  }),
  explain: (edits) => explainHeaderEdits(edits, 'response'),
};
