/**
 * Bugs that such code has had, here or elsewhere: each a text in a source file and what it becomes. The tests must notice every one.
 * A text must stand in its file exactly once, so that a mutant that no longer applies is noticed too.
 */
export interface Mutant {
  /** What the planted bug does, as a sentence. */
  readonly about: string;
  /** Under `gateway-runtime/`, or from there, as `../jest/outcome.ts`. */
  readonly file: string;
  readonly find: string;
  readonly replace: string;
  /** Paths, or beginnings of paths, of the tests that have to notice it. Default: the cases. */
  readonly tests?: readonly string[];
}

export const MUTANTS: readonly Mutant[] = [
  {
    about: 'A wildcard takes the name that it stands under, too.',
    file: 'match/hostname.ts',
    find: 'host.length >= pattern.length && host.endsWith(pattern.slice(1))',
    replace: 'host.endsWith(pattern.slice(2))',
  },
  {
    about: 'Where listener and route intersect, the wider hostname is kept.',
    file: 'match/hostname.ts',
    find: 'else if (hostnameMatches(hostname, within)) agreed.add(within);',
    replace: 'else if (hostnameMatches(hostname, within)) agreed.add(hostname);',
  },
  {
    about: 'The reference matcher lets a prefix end within a path element.',
    file: 'match/reference.ts',
    // biome-ignore lint/suspicious/noTemplateCurlyInString: the text of a template
    find: "value === '/' || path === value || path.startsWith(`${value}/`)",
    replace: 'path.startsWith(value)',
  },
  {
    about: 'The router lets a prefix end within a path element.',
    file: 'match/path-table.ts',
    find: 'if (!atEnd && path.charCodeAt(position) !== SLASH) return undefined;',
    replace: '',
  },
  {
    about: 'An Exact path has no precedence over a PathPrefix in the reference matcher.',
    file: 'match/precedence.ts',
    find: "yesFirst(hasPath(a, 'Exact'), hasPath(b, 'Exact'))",
    replace: '0',
  },
  {
    about: 'The shortest PathPrefix goes first in the reference matcher.',
    file: 'match/precedence.ts',
    find: "hasPath(a, 'PathPrefix') ? pathLength(b) - pathLength(a) : 0",
    replace: "hasPath(a, 'PathPrefix') ? pathLength(a) - pathLength(b) : 0",
  },
  {
    about: 'The newest route goes first in the reference matcher.',
    file: 'match/precedence.ts',
    find: 'byText(sourceOf(a).created || NEWEST, sourceOf(b).created || NEWEST)',
    replace: 'byText(sourceOf(b).created || NEWEST, sourceOf(a).created || NEWEST)',
  },
  {
    about: 'A match without a method goes before one with, in the router.',
    file: 'match/path-table.ts',
    find: 'Number(y.method !== undefined) - Number(x.method !== undefined) ||',
    replace: 'Number(x.method !== undefined) - Number(y.method !== undefined) ||',
  },
  {
    about: 'Query parameters are counted before headers, in the router.',
    file: 'match/path-table.ts',
    find: 'y.headers.length - x.headers.length ||\n    y.query.length - x.query.length ||',
    replace: 'y.query.length - x.query.length ||\n    y.headers.length - x.headers.length ||',
  },
  {
    about: 'Routes of the same age go by name before namespace, in the router.',
    file: 'match/path-table.ts',
    // biome-ignore lint/suspicious/noTemplateCurlyInString: the text of a template
    find: 'compared(`${from.namespace}/${from.name}`, `${other.namespace}/${other.name}`) ||',
    // biome-ignore lint/suspicious/noTemplateCurlyInString: the text of a template
    replace: 'compared(`${from.name}/${from.namespace}`, `${other.name}/${other.namespace}`) ||',
  },
  {
    about: 'Only the first header of a match is looked at.',
    file: 'match/conditions.ts',
    find: 'for (let i = 0; i < headers.length; i++) {',
    replace: 'for (let i = 0; i < Math.min(headers.length, 1); i++) {',
  },
  {
    about: 'Methods are compared without case.',
    file: 'match/conditions.ts',
    find: 'if (method !== undefined && method !== request.method) return false;',
    replace: 'if (method !== undefined && method !== request.method.toUpperCase()) return false;',
    // Clients of the cases write methods in capital letters.
    tests: ['tests/unit/match/router.test.ts'],
  },
  {
    about: 'The least specific listener of a port serves a host.',
    file: 'match/host-table.ts',
    find: 'if (node.value !== undefined && isHostEnd(host, consumed)) value = node.value;',
    replace: 'if (node.value !== undefined && isHostEnd(host, consumed)) value ??= node.value;',
  },
  {
    about: 'A narrower hostname shuts out the rules of a wider one.',
    file: 'match/router.ts',
    find: 'if (found || !node.value || !isHostEnd(request.host, consumed)) return found;',
    replace: 'if (child || !node.value || !isHostEnd(request.host, consumed)) return found;',
  },
  {
    about: 'The sectionName of a parentRef is not looked at.',
    file: 'translate/attachment.ts',
    find: '(ref.sectionName === undefined || ref.sectionName === name) &&',
    replace: 'name !== undefined &&',
  },
  {
    about: 'The port of a parentRef is not looked at.',
    file: 'translate/attachment.ts',
    find: '(ref.port === undefined || ref.port === port),',
    replace: 'port !== undefined,',
  },
  {
    about: 'The kinds that a listener takes are not looked at.',
    file: 'translate/attachment.ts',
    find: 'supportedKinds.some(({ group, kind }) => group === GATEWAY_GROUP && kind === routeKind);',
    replace: 'supportedKinds.every(({ group }) => group === GATEWAY_GROUP) && routeKind.length > 0;',
  },
  {
    about: 'A listener of a ListenerSet means the namespace of the Gateway by Same.',
    file: 'translate/attachment.ts',
    find: 'admits(each.namespaces, each.home.namespace, route.namespace, objects)',
    replace: 'admits(each.namespaces, parent.gateway.namespace, route.namespace, objects)',
  },
  {
    about: 'From Same admits every namespace.',
    file: 'translate/selector.ts',
    find: 'return namespace === home;',
    replace: 'return namespace !== undefined || home !== undefined;',
  },
  {
    about: 'A ReferenceGrant is looked for in the namespace of the one who refers.',
    file: 'translate/references.ts',
    find: 'objects.grantsIn(namespace!).some(',
    replace: 'objects.grantsIn(fromNamespace!).some(',
  },
  {
    about: 'A ReferenceGrant counts for every namespace.',
    file: 'translate/references.ts',
    find: ' && each.namespace === fromNamespace,',
    replace: ',',
  },
  {
    about: 'A ReferenceGrant for one name opens them all.',
    file: 'translate/references.ts',
    find: '(each.name === undefined || each.name === name)',
    replace: 'name !== undefined',
  },
  {
    about: 'The newest ListenerSet goes first where two want one hostname.',
    file: 'translate/gateways.ts',
    find: 'a.created - b.created',
    replace: 'b.created - a.created',
  },
  {
    about: 'The share of a backend that does not resolve goes to the others.',
    file: 'translate/rules.ts',
    find: 'weight: ref.weight,',
    replace: "weight: 'reason' in resolved ? 0 : ref.weight,",
  },
  {
    about: 'A wildcard origin takes hosts that only end in the same letters.',
    file: 'filters/cors.ts',
    find: 'const suffix = host!.slice(1);',
    replace: 'const suffix = host!.slice(2);',
  },
  {
    about: 'Any origin is answered with a wildcard, credentials or not.',
    file: 'filters/cors.ts',
    find: "!credentials ? '*' : ORIGIN.test(origin) ? origin : undefined",
    replace: "'*'",
  },
  {
    about: 'A backend lets in origins that the filter does not list.',
    file: 'filters/cors.ts',
    find: 'for (const name of ALL) head.remove(name);',
    replace: '',
  },
  {
    about: 'A wildcard origin takes every port.',
    file: 'filters/cors.ts',
    find: ' || parts[3] !== port',
    replace: '',
  },
  {
    about: 'A mirror is not asked for by a rule.',
    file: 'proxy/pipeline/pipeline.ts',
    find: 'if (plan.mirrors.length > 0) this.#mirror(exchange, plan.mirrors);',
    replace: '',
  },
  {
    about: 'A Service that has to be asked is not.',
    file: 'proxy/pipeline/pipeline.ts',
    find: 'payload.authorizations.length > 0',
    replace: 'payload.authorizations.length > 9',
  },
  {
    about: 'Every answer of a Service that is asked is a yes.',
    file: 'filters/external-auth-http.ts',
    find: 'status !== 200',
    replace: 'status >= 500',
  },
  {
    about: 'A Service that is asked by gRPC and says neither yes nor no has said yes.',
    file: 'filters/ext-authz/check-response.ts',
    find: 'if (isSilent || (denied && code === 0))',
    replace: 'if (denied && code === 0)',
  },
  {
    about: 'A yes by gRPC to another query is a yes to the one that was asked about.',
    file: 'filters/ext-authz/check-response.ts',
    find: "throw new MalformedMessage('found another query, which is not served');",
    replace: 'break;',
  },
  {
    about: 'Only the first of two Services is asked.',
    file: 'proxy/pipeline/authorization.ts',
    find: '++authorization.index < authorization.plan.authorizations.length',
    replace: 'false',
  },
  {
    about: 'What a client says of itself stands where the Service that was asked says nothing.',
    file: 'filters/external-auth-http.ts',
    find: 'if (!takesAll) head.removeIf(initials, (each) => spoofable.has(plainName(each)));',
    replace: '',
  },
  {
    about: 'A body that is larger than the Service reads is let through.',
    file: 'proxy/pipeline/authorization.ts',
    find: 'if (isWhole) this.#ask(exchange);',
    replace: 'if (isWhole || !isWhole) this.#ask(exchange);',
  },
  {
    about: 'One request to a backend may take as long as it likes.',
    file: 'proxy/pipeline/compiled-rule.ts',
    find: 'backendTimeout: backendRequest,',
    replace: 'backendTimeout: 0,',
  },
  {
    about: 'Every error of a backend is a reason to try again.',
    file: 'proxy/pipeline/retries.ts',
    find: 'this.#codes.has(status)',
    replace: 'status >= 500',
  },
  {
    about: 'A request that must not be repeated is, after a broken connection.',
    file: 'proxy/pipeline/retries.ts',
    find: '(isUntouched || isIdempotent(method))',
    replace: 'true',
  },
  {
    about: 'A request is tried again once more than its rule says.',
    file: 'proxy/pipeline/attempts.ts',
    find: 'outcome.retries >= retry!.attempts',
    replace: 'outcome.retries > retry!.attempts',
  },
  {
    about: 'A request that is tried again has lost its body.',
    file: 'proxy/kept-body.ts',
    find: 'this.#chunks.push(Buffer.from(octets.subarray(start, end)))',
    replace: 'this.#chunks.push()',
  },
  {
    about: 'Milliseconds of a timeout are taken for seconds.',
    file: 'translate/rules.ts',
    find: '{ request: durationMilliseconds(request) }',
    replace: '{ request: durationMilliseconds(request) * 1000 }',
  },
  {
    about:
      'A listener that was told to ask for client certificates is served without, where no authority resolves.',
    file: 'translate/frontend-tls.ts',
    find: '...(refusal && !listener.unsupported ? { unsupported: told(refusal) } : {}),',
    replace: '',
  },
  {
    about: 'The settings of the first port of a Gateway do not override its default ones.',
    file: 'translate/frontend-tls.ts',
    find: 'const [tls, field] =\n      index >= 0',
    replace: 'const [tls, field] =\n      index > 0',
  },
  {
    about:
      'A host that was asked for before gets the rules of its own name alone, and none of a wildcard above it.',
    file: 'match/router.ts',
    find: 'allThatMatch(this.#hosts, host))',
    replace: 'allThatMatch(this.#hosts, host).slice(0, 1))',
  },
  {
    about: 'A wildcard hostname of a TLSRoute goes before an exact one, in the reference.',
    file: 'match/tls-reference.ts',
    find: 'compareHostnames(a.hostname, b.hostname) ||',
    replace: 'compareHostnames(b.hostname, a.hostname) ||',
  },
  {
    about: 'The youngest TLSRoute goes first, in the table.',
    file: 'match/tls-table.ts',
    find: 'orderOf(a) < orderOf(b) ? -1 : 1',
    replace: 'orderOf(a) < orderOf(b) ? 1 : -1',
  },
  {
    about: 'A TLS rule that goes leaves its hostnames behind in the table.',
    file: 'match/tls-table.ts',
    find: 'list.filter(({ rule }) => rule.key !== key)',
    replace: 'list',
  },
  {
    about: 'A grant for HTTPRoutes lets TLSRoutes refer to a Service.',
    file: 'translate/tls-rules.ts',
    find: "backends.resolve('TLSRoute', namespace",
    replace: "backends.resolve('HTTPRoute', namespace",
  },
  {
    about: 'HTTPS and TLS listeners for one hostname on one port are both served.',
    file: 'translate/merge.ts',
    // biome-ignore lint/suspicious/noTemplateCurlyInString: the text of a template
    find: "`${OVER_TLS.has(protocol) ? 'TLS' : protocol} ${hostname}`",
    // biome-ignore lint/suspicious/noTemplateCurlyInString: the text of a template
    replace: '`${protocol} ${hostname}`',
  },
  {
    about: 'A listener that passes TLS through needs a certificate.',
    file: 'translate/listeners.ts',
    find: "protocol === 'HTTPS' || (protocol === 'TLS' && tls?.mode !== 'Passthrough')",
    replace: "protocol !== 'HTTP'",
  },
  {
    about: 'Of what was read of a ClientHello the first record header is not sent to the backend.',
    file: 'proxy/tls-routes/tls-connections.ts',
    find: 'if (head) socket.write(head);',
    replace: 'if (head) socket.write(head.subarray(5));',
  },
  {
    about: 'A connection for an HTTPS listener loses what was read of it.',
    file: 'proxy/tls-routes/gate.ts',
    find: 'socket.unshift(head);',
    replace: '',
  },
  {
    about: 'Shares of a TLSRoute that do not resolve go to the other backends.',
    file: 'proxy/tls-routes/shares.ts',
    find: '.filter(({ weight }) => weight > 0)',
    replace: '.filter(({ weight, backend }) => weight > 0 && backend)',
  },
  {
    about: 'What is terminated is passed on in the clear, where a policy demands TLS to the backend.',
    file: 'proxy/tls-routes/tls-connections.ts',
    find: "listener.tlsMode === 'Passthrough' ? undefined : endpoint.tls",
    replace: 'undefined',
  },
];
