/** URLRewrite (HTTPRouteFilter, extended): another Host or path for the backend; the client sees nothing of it. */
import type { FilterDefinition } from './definition.ts';
import {
  compilePathChange,
  explainPathChange,
  type PathChange,
  translatePathModifier,
} from './path-modifier.ts';

interface Rewrite {
  readonly hostname?: string;
  readonly path?: PathChange;
}

export const urlRewrite: FilterDefinition<'URLRewrite', Rewrite> = {
  type: 'URLRewrite',
  features: ['HTTPRouteHostRewrite', 'HTTPRoutePathRewrite'],
  onRules: true,
  onBackends: true,

  translate(filter, context) {
    const { hostname, path } = filter.urlRewrite!;
    const change = path && translatePathModifier(path, context);
    if (path && !change) return undefined;
    return { ...(hostname ? { hostname } : {}), ...(change ? { path: change } : {}) };
  },

  compile({ hostname, path }, { path: matched }) {
    const changePath = path && compilePathChange(path, matched);
    return {
      request(head) {
        if (changePath) head.path = changePath(head.path);
        if (hostname) head.authority = hostname;
        return undefined;
      },
    };
  },

  explain({ hostname, path }) {
    const parts = [...(hostname ? [`host ${hostname}`] : []), ...(path ? [explainPathChange(path)] : [])];
    return `rewrites to ${parts.join(', ') || 'the same URL'}`;
  },
};
