import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { type Contender, eachRoute } from '../contender.ts';

/** The `typed_config` of an extension. */
const typed = (type: string, more = '') =>
  `{ "@type": type.googleapis.com/envoy.extensions.${type}${more ? `, ${more}` : ''} }`;

export const envoy: Contender = {
  name: 'Envoy',
  program: 'envoy',
  asksVersion: '--version',
  command({ folder, backendPort, routes, ports, slowClients }) {
    const file = join(folder, 'envoy.yaml');
    const hosts = eachRoute(
      routes,
      (i) =>
        `      - { name: h${i}, domains: [h${i}.example.com], routes: [{ match: { prefix: /api/v${i} }, route: { weighted_clusters: { clusters: [{ name: one, weight: 90 }, { name: two, weight: 10 }] } } }] }`,
    );
    const manager = `
  - name: envoy.filters.network.http_connection_manager
    typed_config:
      "@type": type.googleapis.com/envoy.extensions.filters.network.http_connection_manager.v3.HttpConnectionManager
      stat_prefix: web
      use_remote_address: true
${slowClients ? '      request_headers_timeout: 15s\n' : ''}      access_log: [{ name: file, typed_config: ${typed('access_loggers.file.v3.FileAccessLog', `path: ${folder}/envoy-access.log`)} }]
      http_filters: [{ name: router, typed_config: ${typed('filters.http.router.v3.Router')} }]
      rds: { route_config_name: routes, config_source: { path_config_source: { path: ${folder}/envoy-routes.yaml } } }
`;
    writeFileSync(
      join(folder, 'envoy-routes.yaml'),
      `resources:
- "@type": type.googleapis.com/envoy.config.route.v3.RouteConfiguration
  name: routes
  virtual_hosts:
${hosts.replace(/^ {6}/gm, '  ')}
`,
    );
    const cluster = (name: string) =>
      `  - { name: ${name}, connect_timeout: 5s, type: STATIC, circuit_breakers: { thresholds: [{ max_connections: 4096, max_pending_requests: 4096, max_requests: 4096 }] }, load_assignment: { cluster_name: ${name}, endpoints: [{ lb_endpoints: [{ endpoint: { address: { socket_address: { address: 127.0.0.1, port_value: ${backendPort} } } } }] }] } }`;
    const tls = `    transport_socket: { name: tls, typed_config: ${typed(
      'transport_sockets.tls.v3.DownstreamTlsContext',
      `common_tls_context: { tls_certificates: [{ certificate_chain: { filename: ${folder}/certificate.pem }, private_key: { filename: ${folder}/key.pem } }] }`,
    )} }`;
    const listener = (name: string, port: number, more: string) => `
  - name: ${name}
    address: { socket_address: { address: 127.0.0.1, port_value: ${port} } }
    filter_chains:
    - filters:${manager.replace(/^/gm, '    ').trimEnd()}
${more.replace(/^/gm, '  ')}`;
    writeFileSync(
      file,
      `node: { id: bench, cluster: bench }
admin: { address: { socket_address: { address: 127.0.0.1, port_value: ${ports.plain + 5000} } } }
static_resources:
  listeners:${listener('web', ports.plain, '')}${listener('secure', ports.tls, tls)}
  clusters:
${cluster('one')}
${cluster('two')}
`,
    );
    return ['envoy', '-c', file, '--concurrency', '1', '--disable-hot-restart', '-l', 'error'];
  },
};
