/** RequestRedirect (HTTPRouteFilter, core; 303, 307 and 308 extended): answers with a Location and asks no backend. */
import type { FilterDefinition } from './definition.ts';
import {
  compilePathChange,
  explainPathChange,
  type PathChange,
  translatePathModifier,
} from './path-modifier.ts';

interface Redirect {
  readonly status: number;
  readonly scheme?: string;
  readonly hostname?: string;
  readonly port?: number;
  readonly path?: PathChange;
}

const WELL_KNOWN_PORTS: Readonly<Record<string, number>> = { http: 80, https: 443 };

export const requestRedirect: FilterDefinition<'RequestRedirect', Redirect> = {
  type: 'RequestRedirect',
  features: [
    'HTTPRoute303RedirectStatusCode',
    'HTTPRoute307RedirectStatusCode',
    'HTTPRoute308RedirectStatusCode',
    'HTTPRoutePathRedirect',
    'HTTPRoutePortRedirect',
    'HTTPRouteSchemeRedirect',
  ],
  onRules: true,
  onBackends: true,

  translate(filter, context) {
    const { statusCode, scheme, hostname, port, path } = filter.requestRedirect!;
    const change = path && translatePathModifier(path, context);
    if (path && !change) return undefined;
    return {
      status: statusCode,
      ...(scheme ? { scheme } : {}),
      ...(hostname ? { hostname } : {}),
      ...(port ? { port } : {}),
      ...(change ? { path: change } : {}),
    };
  },

  compile(redirect, { path: matched, publicPort }) {
    const changePath = redirect.path && compilePathChange(redirect.path, matched);
    return {
      request(head) {
        const scheme = redirect.scheme ?? head.scheme;
        // "If redirect scheme is not-empty, the redirect port MUST be the well-known port associated with the redirect
        // scheme", else "the Gateway Listener port" (HTTPRequestRedirectFilter.port).
        const named =
          redirect.port ?? (redirect.scheme ? WELL_KNOWN_PORTS[redirect.scheme]! : head.listenerPort);
        const host = redirect.hostname ?? head.host;
        // Another host is not known to be served where this one is.
        const port = host === head.host ? publicPort(named) : named;
        // Neither :80 with http nor :443 with https is written.
        const authority = host + (port === WELL_KNOWN_PORTS[scheme] ? '' : `:${port}`);
        const path = changePath ? changePath(head.path) : head.path;
        const location = `${scheme}://${authority}${path}${head.query ? `?${head.query}` : ''}`;
        return { status: redirect.status, headers: [['location', location]], body: '' };
      },
    };
  },

  explain({ status, scheme, hostname, port, path }) {
    const parts = [
      ...(scheme ? [`scheme ${scheme}`] : []),
      ...(hostname ? [`host ${hostname}`] : []),
      ...(port ? [`port ${port}`] : []),
      ...(path ? [explainPathChange(path)] : []),
    ];
    return `redirects (${status}) to ${parts.join(', ') || 'the same URL'}`;
  },
};
