/**
 * Every reason that translate gives, by the object, the type and the status of the condition. `Reason` is what the code may
 * say; that each has a case is held by `tests/cases-runner/coverage.test.ts`. What only the control plane knows, such as
 * addresses, is said by it alone.
 */

/** By kind of object (Listener: one of a Gateway or ListenerSet), type of condition, and status. */
export const REASONS = {
  GatewayClass: { Accepted: { True: ['Accepted'], False: ['InvalidParameters'] } },
  Gateway: {
    Accepted: {
      True: ['Accepted', 'ListenersNotValid'],
      False: ['ListenersNotValid', 'InvalidParameters', 'UnsupportedAddress'],
    },
    Programmed: { True: ['Programmed'], False: ['Invalid'] },
    InsecureFrontendValidationMode: { True: ['ConfigurationChanged'] },
    DefaultGateway: { True: ['DefaultGateway'] },
    'gatewright.dev/GatewayPolicyAffected': { True: ['Affected'] },
    ResolvedRefs: {
      True: ['ResolvedRefs'],
      False: ['ListenersNotResolved', 'InvalidClientCertificateRef', 'RefNotPermitted'],
    },
  },
  ListenerSet: {
    Accepted: {
      True: ['Accepted', 'ListenersNotValid'],
      False: ['ListenersNotValid', 'NotAllowed', 'ParentNotAccepted'],
    },
    Programmed: {
      True: ['Programmed'],
      False: ['ListenersNotValid', 'NotAllowed', 'ParentNotProgrammed'],
    },
    'gatewright.dev/GatewayPolicyAffected': { True: ['Affected'] },
  },
  Listener: {
    Accepted: {
      True: ['Accepted'],
      False: [
        'UnsupportedProtocol',
        'UnsupportedValue',
        'NotAllowed',
        'HostnameConflict',
        'ProtocolConflict',
        'NoValidCACertificate',
      ],
    },
    Programmed: { True: ['Programmed'], False: ['Invalid', 'HostnameConflict', 'ProtocolConflict'] },
    ResolvedRefs: {
      True: ['ResolvedRefs'],
      False: [
        'InvalidRouteKinds',
        'InvalidCertificateRef',
        'InvalidCACertificateRef',
        'InvalidCACertificateKind',
        'RefNotPermitted',
      ],
    },
    Conflicted: { True: ['HostnameConflict', 'ProtocolConflict'], False: ['NoConflicts'] },
    OverlappingTLSConfig: { True: ['OverlappingHostnames'] },
  },
  HTTPRoute: {
    Accepted: {
      True: ['Accepted'],
      False: [
        'NotAllowedByListeners',
        'NoMatchingListenerHostname',
        'NoMatchingParent',
        'UnsupportedValue',
        'LimitExceeded',
      ],
    },
    ResolvedRefs: {
      True: ['ResolvedRefs'],
      False: ['RefNotPermitted', 'InvalidKind', 'BackendNotFound', 'UnsupportedProtocol', 'UnsupportedValue'],
    },
    PartiallyInvalid: { True: ['UnsupportedValue', 'NotAllowedByListeners'] },
    'gatewright.dev/GatewayPolicyAffected': { True: ['Affected', 'Overridden'] },
    'gatewright.dev/RoutePolicyAffected': { True: ['Affected'] },
  },
  TLSRoute: {
    Accepted: {
      True: ['Accepted'],
      False: ['NotAllowedByListeners', 'NoMatchingListenerHostname', 'NoMatchingParent', 'LimitExceeded'],
    },
    ResolvedRefs: {
      True: ['ResolvedRefs'],
      False: ['RefNotPermitted', 'InvalidKind', 'BackendNotFound', 'UnsupportedValue'],
    },
    'gatewright.dev/GatewayPolicyAffected': { True: ['Affected'] },
  },
  BackendTLSPolicy: {
    Accepted: {
      True: ['Accepted'],
      False: ['Conflicted', 'Invalid', 'NoValidCACertificate', 'TargetNotFound'],
    },
    ResolvedRefs: { True: ['ResolvedRefs'], False: ['InvalidCACertificateRef', 'InvalidKind'] },
  },
  Grant: { Accepted: { True: ['Accepted'], False: ['ParentNotFound'] } },
  GatewayPolicy: {
    Accepted: { True: ['Accepted'], False: ['Conflicted', 'TargetNotFound'] },
    Programmed: { True: ['Programmed', 'PartiallyProgrammed'], False: ['Overridden'] },
  },
  RoutePolicy: {
    Accepted: { True: ['Accepted'], False: ['Conflicted', 'TargetNotFound'] },
    Programmed: { True: ['Programmed', 'PartiallyProgrammed'], False: ['NotAttached', 'Overridden'] },
  },
} as const;

/** In diagnostics alone, or in the interface of filters and given by none that is served. */
export const OTHER_REASONS = [
  'NoParentRefs',
  'ListenerNotProgrammed',
  'UnsupportedField',
  'NoBackends',
  'IncompatibleFilters',
] as const;

/** The strings at the leaves. */
type Leaves<T> = T extends string ? T : T extends readonly (infer E)[] ? E : Leaves<T[keyof T]>;

export type Reason = Leaves<typeof REASONS> | (typeof OTHER_REASONS)[number];
