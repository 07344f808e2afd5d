/**
 * Which CustomResourceDefinitions of Gateway API the cluster has, against those that are expected. Only their metadata is
 * read: the bundle's version and channel are annotations.
 */
import { KINDS, type KindName } from '../../api/kinds.ts';
import { GATEWAY_GROUP } from '../../api/names.ts';
import type { Diagnostic, Severity } from '../../snapshot/diagnostic.ts';
import type { Condition } from '../../translate/translation.ts';
import type { ApiClient } from './client.ts';
import { type ApiObject, type CollectionState, Reflector, TIMINGS, type Timings } from './reflector.ts';
import { resourceName } from './resources.ts';

/** The release of Gateway API whose fields are read, with those of its experimental channel. */
export const BUNDLE_VERSION = 'v1.6.1';
const CHANNEL = 'experimental';
/** Minor versions of v1 whose fields are all among those that are read. */
const NEWEST_MINOR = 6;

const BUNDLE_VERSION_ANNOTATION = `${GATEWAY_GROUP}/bundle-version`;
const CHANNEL_ANNOTATION = `${GATEWAY_GROUP}/channel`;
const RELEASE = `https://github.com/kubernetes-sigs/gateway-api/releases/download/${BUNDLE_VERSION}/${CHANNEL}-install.yaml`;

/** What the annotations of one CRD say; absent where they say nothing. */
export interface Bundle {
  readonly version?: string;
  readonly channel?: string;
}

export const bundleOf = ({ metadata }: Pick<ApiObject, 'metadata'>): Bundle => {
  const { [BUNDLE_VERSION_ANNOTATION]: version, [CHANNEL_ANNOTATION]: channel } = metadata.annotations ?? {};
  return { ...(version ? { version } : {}), ...(channel ? { channel } : {}) };
};

const isSupported = ({ version }: Bundle): boolean => {
  const found = /^v1\.(\d+)\./.exec(version ?? '');
  return found !== null && Number(found[1]) <= NEWEST_MINOR;
};

/** The kinds that are custom resources. */
export const GATEWAY_KINDS = (Object.keys(KINDS) as KindName[]).filter(
  (kind) => KINDS[kind].group === GATEWAY_GROUP,
);

/** What to say about them; `unread` are kinds that the API server does not serve in a version that is read. */
export function crdDiagnostics(
  installed: ReadonlyMap<string, Bundle>,
  unread: ReadonlySet<KindName>,
): Diagnostic[] {
  return GATEWAY_KINDS.flatMap((kind) => {
    const name = resourceName(kind);
    const versions = KINDS[kind].versions.join(' or ');
    const say = (severity: Severity, code: string, message: string): Diagnostic => ({
      severity,
      code: `crd/${code}`,
      object: { group: 'apiextensions.k8s.io', kind: 'CustomResourceDefinition', namespace: '', name },
      message,
      fix: `apply ${RELEASE} with kubectl apply --server-side`,
    });
    const bundle = installed.get(name);
    if (!bundle) {
      return [
        say(
          'error',
          'missing',
          `found none, expected that of Gateway API ${BUNDLE_VERSION}; no ${kind} is served`,
        ),
      ];
    }
    if (unread.has(kind)) {
      return [
        say(
          'error',
          'version-not-served',
          `found no version that is read, expected ${versions}; no ${kind} is served`,
        ),
      ];
    }
    if (!isSupported(bundle)) {
      const found = bundle.version ? `Gateway API ${bundle.version}` : 'none of a release of Gateway API';
      return [
        say(
          'warning',
          'bundle-version',
          `found ${found}, expected ${BUNDLE_VERSION}; what both know is served`,
        ),
      ];
    }
    if (bundle.channel !== CHANNEL) {
      const found = bundle.channel ?? 'no channel';
      return [
        say(
          'info',
          'channel',
          `found ${found}, expected ${CHANNEL}; the API server drops fields of the ${CHANNEL} channel`,
        ),
      ];
    }
    return [];
  });
}

/**
 * Condition of every GatewayClass that is ours: "If implementations detect any Gateway API CRDs that either do not have
 * this annotation set, or have it set to a version that is not recognized or supported by the implementation, this
 * condition MUST be set to false" (GatewayClassConditionStatusSupportedVersion).
 */
export function supportedVersion(
  installed: ReadonlyMap<string, Bundle>,
): Pick<Condition, 'type' | 'status' | 'reason' | 'message'> {
  const others = [...installed].filter(([, bundle]) => !isSupported(bundle));
  const expected = `v1.0 to v1.${NEWEST_MINOR}`;
  if (others.length === 0) {
    return {
      type: 'SupportedVersion',
      status: 'True',
      reason: 'SupportedVersion',
      message: `The CustomResourceDefinitions of Gateway API are of ${expected}.`,
    };
  }
  const found = others.map(([name, { version }]) => `${name} of ${version ?? 'no version'}`).sort();
  return {
    type: 'SupportedVersion',
    status: 'False',
    reason: 'UnsupportedVersion',
    message: `Found ${found.join(', ')}, expected ${expected}. What is known of them is served.`,
  };
}

/** Follows the CRDs of Gateway API. Only they are kept of all that the cluster has. */
export class InstalledCrds {
  readonly #reflector: Reflector;
  readonly #bundles = new Map<string, Bundle>();

  /** `onChange` is called after each change of one of them, also where it is only now served. */
  constructor(client: ApiClient, onChange: () => void, timings: Timings = TIMINGS) {
    const isOurs = (name: string) => name.endsWith(`.${GATEWAY_GROUP}`);
    this.#reflector = new Reflector(
      client,
      {
        kind: 'CustomResourceDefinition',
        paths: ['/apis/apiextensions.k8s.io/v1/customresourcedefinitions'],
        metadataOnly: true,
      },
      {
        set: (object) => {
          if (!isOurs(object.metadata.name)) return;
          this.#bundles.set(object.metadata.name, bundleOf(object));
          onChange();
        },
        remove: ({ name }) => {
          if (this.#bundles.delete(name)) onChange();
        },
        state: onChange,
      },
      timings,
    );
  }

  /** By the CRD's name. */
  get bundles(): ReadonlyMap<string, Bundle> {
    return this.#bundles;
  }

  get state(): CollectionState {
    return this.#reflector.state;
  }

  start(): void {
    this.#reflector.start();
  }

  stop(): Promise<void> {
    return this.#reflector.stop();
  }
}
