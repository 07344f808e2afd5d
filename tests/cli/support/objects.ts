/** The objects that most tests serve: a Gateway for two teams, with whoami behind it. */
export const GATEWAY = `apiVersion: gateway.networking.k8s.io/v1
kind: Gateway
metadata: { name: shared-gw, namespace: infra }
spec:
  gatewayClassName: any-class
  listeners:
    - name: web
      port: 80
      protocol: HTTP
      allowedRoutes: { namespaces: { from: All } }
    - name: secure
      port: 443
      protocol: HTTPS
      hostname: "*.example.com"
      tls: { certificateRefs: [{ name: wildcard }] }
      allowedRoutes: { namespaces: { from: All } }
`;

/** A Service, and a route of `host` with these rules (YAML, indented by four). */
export function route(name: string, host: string, rules: string): string {
  return `apiVersion: gateway.networking.k8s.io/v1
kind: HTTPRoute
metadata: { name: ${name}, namespace: shop }
spec:
  parentRefs: [{ name: shared-gw, namespace: infra }]
  hostnames: [${host}]
  rules:
${rules}`;
}

export function service(name: string, port = 80): string {
  return `apiVersion: v1
kind: Service
metadata: { name: ${name}, namespace: shop }
spec: { ports: [{ port: ${port} }] }
`;
}

export const documents = (...texts: string[]) => texts.join('---\n');

export const WHOAMI = documents(
  GATEWAY,
  service('whoami'),
  service('nginx'),
  route(
    'whoami',
    'whoami.example.com',
    `    - matches: [{ path: { type: Exact, value: /foo } }]
      backendRefs: [{ name: whoami, port: 80 }]
    - matches: [{ path: { value: /old } }]
      filters: [{ type: RequestRedirect, requestRedirect: { scheme: https } }]
`,
  ),
);
