/** RequestHeaderModifier (HTTPRouteFilter, core). */
import type { FilterDefinition } from './definition.ts';
import {
  applyHeaderEdits,
  explainHeaderEdits,
  type HeaderEdits,
  translateHeaderEdits,
} from './header-edits.ts';

const FORBIDDEN = new Map([['host', 'use a URLRewrite filter with hostname']]);

export const requestHeaderModifier: FilterDefinition<'RequestHeaderModifier', HeaderEdits> = {
  type: 'RequestHeaderModifier',
  features: ['HTTPRouteBackendRequestHeaderModification'],
  onRules: true,
  onBackends: true,
  translate: (filter, context) => translateHeaderEdits(filter.requestHeaderModifier!, FORBIDDEN, context),
  compile: (edits) => ({
    request(head) {
      applyHeaderEdits(edits, head);
      return undefined;
    },
  }),
  explain: (edits) => explainHeaderEdits(edits, 'request'),
};
