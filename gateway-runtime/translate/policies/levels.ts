/**
 * What policies say, level by level, and what that comes to. From above: GatewayPolicies of the Gateway, its listener or the ListenerSet, and the
 * listener in that; then RoutePolicies of the route and of the rule; then the rule itself. The merge is field by field (a custom strategy of
 * GEP-713): of `overrides` the strictest counts where values can be compared, else that of the highest level; of all else the lowest level that says
 * something, held within the bounds of all above it.
 */
import { durationMilliseconds } from '../../api/fields.ts';
import type { GatewayPolicySpec } from '../../api/gateway-policy.ts';
import { commonNetworks, distinctNetworks, networksBeyond } from '../../api/network-lists.ts';
import type { ObjectRef } from '../../api/object.ts';
import type { HttpsRedirect, ResponseHeaders } from '../../api/policy-fields.ts';
import type { RoutePolicySpec } from '../../api/route-policy.ts';
import type { TlsVersion } from '../../snapshot/snapshot.ts';
import { listed } from '../findings.ts';

/** A GatewayPolicy at its place in the order. */
export type Level = Pick<GatewayPolicySpec, 'overrides' | 'defaults'> & { readonly policy: ObjectRef };

/** A RoutePolicy, or the rule itself, which has no policy. */
export type OwnLevel = Partial<Omit<RoutePolicySpec, 'targetRefs'>> & {
  readonly policy?: ObjectRef;
  /** Where each field stands in its object: `spec.requestTimeout`, `spec.rules[0].timeouts.request`. */
  readonly fieldOf: (name: string) => string;
};

export interface Origin {
  /** Undefined: the rule itself. */
  readonly policy: ObjectRef | undefined;
  readonly field: string;
}

export interface Said<V> {
  readonly value: V;
  readonly from: Origin;
}

/** Something that is said and does not hold. */
export interface Overridden {
  readonly from: Origin;
  readonly found: string;
  readonly holds: string;
  readonly by: Origin;
}

/** One thing as it holds. */
export interface Held<V> {
  readonly value: V;
  /** Whoever has a say in it, with what that says. */
  readonly from: readonly Said<V>[];
  readonly overridden: readonly Overridden[];
}

const overrideOf = ({ policy }: Level, name: string): Origin => ({ policy, field: `spec.overrides.${name}` });
const defaultOf = ({ policy }: Level, name: string): Origin => ({ policy, field: `spec.defaults.${name}` });
const ownOf = ({ policy, fieldOf }: OwnLevel, name: string): Origin => ({ policy, field: fieldOf(name) });

/** As people read it, and as it is compared. */
export interface Amount {
  readonly text: string;
  readonly size: number;
}

const time = (text: string): Amount => ({ text, size: durationMilliseconds(text) });
const octets = (size: number): Amount => ({ text: `${size}`, size });
/** In a rule, 0s is none. */
const timeOfRule = (text: string): Amount => {
  const size = durationMilliseconds(text);
  return { text, size: size === 0 ? Number.POSITIVE_INFINITY : size };
};

/** In milliseconds. Where none is held and the rule asks for none, what the rule says stands. */
export const requestTimeout = (levels: readonly Level[], own: readonly OwnLevel[]) =>
  amount<string>(levels, own, 'requestTimeout', time, (level, text) =>
    level.policy ? time(text) : timeOfRule(text),
  );

export const maxRequestBytes = (levels: readonly Level[], own: readonly OwnLevel[]) =>
  amount<number>(levels, own, 'maxRequestBytes', octets, (_, size) => octets(size));

type AmountName = 'requestTimeout' | 'maxRequestBytes';

/** What an amount may be below some levels. */
export interface Limits {
  readonly min?: Said<Amount>;
  readonly max?: Said<Amount>;
  /** The maximum where that is forced, and not the bound of a default. */
  readonly forced?: Said<Amount>;
}

export const requestTimeoutLimits = (levels: readonly Level[]): Limits =>
  limitsOf<string>(levels, 'requestTimeout', time);

export const maxRequestBytesLimits = (levels: readonly Level[]): Limits =>
  limitsOf<number>(levels, 'maxRequestBytes', octets);

function limitsOf<V extends string | number>(
  levels: readonly Level[],
  name: AmountName,
  read: (value: V) => Amount,
): Limits {
  let min: Said<Amount> | undefined;
  let max: Said<Amount> | undefined;
  let forced: Said<Amount> | undefined;
  const lower = (value: V, from: Origin) => {
    const limit = { value: read(value), from };
    if (!max || limit.value.size < max.value.size) max = limit;
    return max === limit ? limit : undefined;
  };
  for (const level of levels) {
    const most = level.overrides?.[name] as V | undefined;
    const within = level.defaults?.[name] as { min?: V; max?: V } | undefined;
    if (most !== undefined) forced = lower(most, overrideOf(level, name)) ?? forced;
    if (within?.max !== undefined) lower(within.max, defaultOf(level, `${name}.max`));
    if (within?.min !== undefined) {
      const limit = { value: read(within.min), from: defaultOf(level, `${name}.min`) };
      if (!min || limit.value.size > min.value.size) min = limit;
    }
  }
  return { ...(min ? { min } : {}), ...(max ? { max } : {}), ...(forced ? { forced } : {}) };
}

function amount<V extends string | number>(
  levels: readonly Level[],
  own: readonly OwnLevel[],
  name: AmountName,
  read: (value: V) => Amount,
  readOwn: (level: OwnLevel, value: V) => Amount,
): Held<number> | undefined {
  const { min, max, forced } = limitsOf(levels, name, read);
  let asked: Said<Amount> | undefined;
  for (const level of levels) {
    const within = level.defaults?.[name] as { default?: V } | undefined;
    if (within?.default !== undefined) {
      asked = { value: read(within.default), from: defaultOf(level, `${name}.default`) };
    }
  }
  for (const level of own) {
    const value = level[name] as V | undefined;
    if (value !== undefined) asked = { value: readOwn(level, value), from: ownOf(level, name) };
  }
  const sized = (...all: (Said<Amount> | undefined)[]): Said<number>[] =>
    all.flatMap((said) => (said ? [{ value: said.value.size, from: said.from }] : []));
  if (!asked) return max && { value: max.value.size, from: sized(max), overridden: [] };
  const bound =
    max && asked.value.size > max.value.size
      ? max
      : min && asked.value.size < min.value.size
        ? min
        : undefined;
  // A bound that is beyond another one holds no more than that.
  const held = bound && max && bound.value.size > max.value.size ? max : (bound ?? asked);
  if (!bound) return { value: asked.value.size, from: sized(forced, asked), overridden: [] };
  return {
    value: held.value.size,
    from: sized(held),
    overridden: [{ from: asked.from, found: asked.value.text, holds: held.value.text, by: held.from }],
  };
}

export function httpsRedirect(
  levels: readonly Level[],
  own: readonly OwnLevel[],
): Held<HttpsRedirect> | undefined {
  let forced: Said<HttpsRedirect> | undefined;
  let asked: Said<HttpsRedirect> | undefined;
  for (const level of levels) {
    const { overrides, defaults } = level;
    if (overrides?.httpsRedirect) {
      forced ??= { value: overrides.httpsRedirect, from: overrideOf(level, 'httpsRedirect') };
    }
    if (defaults?.httpsRedirect) {
      asked = { value: defaults.httpsRedirect, from: defaultOf(level, 'httpsRedirect') };
    }
  }
  for (const level of own) {
    if (level.httpsRedirect) asked = { value: level.httpsRedirect, from: ownOf(level, 'httpsRedirect') };
  }
  const holds = forced ?? asked;
  if (!holds) return undefined;
  const isOther = forced && asked && redirectInWords(forced.value) !== redirectInWords(asked.value);
  return {
    value: holds.value,
    from: [holds],
    overridden: isOther
      ? [
          {
            from: asked!.from,
            found: redirectInWords(asked!.value),
            holds: redirectInWords(forced!.value),
            by: forced!.from,
          },
        ]
      : [],
  };
}

export const redirectInWords = ({ enabled, statusCode, port }: HttpsRedirect): string =>
  enabled ? `${statusCode} to port ${port}` : 'no redirect';

/** Networks, canonical; none where nobody may come. */
export function ipAllow(
  levels: readonly Level[],
  own: readonly OwnLevel[],
): Held<readonly string[]> | undefined {
  let forced: Said<readonly string[]> | undefined;
  let asked: Said<readonly string[]> | undefined;
  const from: Said<readonly string[]>[] = [];
  for (const level of levels) {
    const { overrides, defaults } = level;
    if (overrides?.ipAllow) {
      const value = forced ? commonNetworks(forced.value, overrides.ipAllow) : overrides.ipAllow;
      const said = { value: overrides.ipAllow, from: overrideOf(level, 'ipAllow') };
      forced = { value, from: said.from };
      from.push(said);
    }
    if (defaults?.ipAllow) asked = { value: defaults.ipAllow, from: defaultOf(level, 'ipAllow') };
  }
  for (const level of own) {
    if (level.ipAllow) asked = { value: level.ipAllow, from: ownOf(level, 'ipAllow') };
  }
  if (!asked) return forced && { value: distinctNetworks(forced.value), from, overridden: [] };
  if (!forced) return { value: distinctNetworks(asked.value), from: [asked], overridden: [] };
  const value = commonNetworks(forced.value, asked.value);
  const beyond = networksBeyond(asked.value, forced.value);
  return {
    value,
    from: [...from, asked],
    overridden:
      beyond.length > 0
        ? [{ from: asked.from, found: listed(beyond), holds: listed(value) || 'nobody', by: forced.from }]
        : [],
  };
}

/** Edits in the order in which they are made: what comes later has the last word. */
export interface HeldHeaders {
  /** Before those of the rule, and after. */
  readonly before: readonly Said<ResponseHeaders>[];
  readonly after: readonly Said<ResponseHeaders>[];
  readonly overridden: readonly Overridden[];
}

export function responseHeaders(levels: readonly Level[], own: readonly OwnLevel[]): HeldHeaders | undefined {
  const before: Said<ResponseHeaders>[] = [];
  const after: Said<ResponseHeaders>[] = [];
  for (const level of levels) {
    const { overrides, defaults } = level;
    if (defaults?.responseHeaders) {
      before.push({ value: defaults.responseHeaders, from: defaultOf(level, 'responseHeaders') });
    }
    if (overrides?.responseHeaders) {
      after.unshift({ value: overrides.responseHeaders, from: overrideOf(level, 'responseHeaders') });
    }
  }
  const overridden: Overridden[] = [];
  for (const level of own) {
    const { responseHeaders: edits } = level;
    if (!edits) continue;
    const said = { value: edits, from: ownOf(level, 'responseHeaders') };
    // What the rule itself edits is among its filters already.
    if (level.policy) before.push(said);
    overridden.push(...editedAgain(said, after));
  }
  return before.length + after.length + overridden.length > 0 ? { before, after, overridden } : undefined;
}

/** A forced edit of the same header takes away what stood there, unless that is the same. */
function editedAgain(
  { value: { set = [], add = [], remove = [] }, from }: Said<ResponseHeaders>,
  later: readonly Said<ResponseHeaders>[],
): Overridden[] {
  return later.flatMap((forced) => {
    const edits = new Map((forced.value.set ?? []).map(({ name, value }) => [name.toLowerCase(), value]));
    const removed = new Set((forced.value.remove ?? []).map((name) => name.toLowerCase()));
    const isUndone = (name: string, value?: string) =>
      removed.has(name) ? value !== undefined : edits.has(name) && edits.get(name) !== value;
    const undone = [
      ...[...set, ...add].map(({ name, value }) => [name.toLowerCase(), value] as const),
      ...remove.map((name) => [name.toLowerCase()] as const),
    ].flatMap(([name, value]) => (isUndone(name, value) ? [name] : []));
    if (undone.length === 0) return [];
    const found = listed([...new Set(undone)].sort());
    return [{ from, found, holds: 'what is forced', by: forced.from }];
  });
}

export function minTlsVersion(levels: readonly Level[]): Held<TlsVersion> | undefined {
  let forced: Said<TlsVersion> | undefined;
  let asked: Said<TlsVersion> | undefined;
  for (const level of levels) {
    const { overrides, defaults } = level;
    if (overrides?.minTlsVersion && (!forced || overrides.minTlsVersion > forced.value)) {
      forced = { value: overrides.minTlsVersion, from: overrideOf(level, 'minTlsVersion') };
    }
    if (defaults?.minTlsVersion) {
      asked = { value: defaults.minTlsVersion, from: defaultOf(level, 'minTlsVersion') };
    }
  }
  const holds = forced && (!asked || asked.value <= forced.value) ? forced : asked;
  if (!holds) return undefined;
  const isHeld = forced && asked && asked.value < forced.value;
  return {
    value: holds.value,
    from: [holds],
    overridden: isHeld
      ? [{ from: asked!.from, found: asked!.value, holds: forced!.value, by: forced!.from }]
      : [],
  };
}

/** What the lowest level forces and those above it do not let be so. */
export function lostOverrides(levels: readonly Level[]): Overridden[] {
  const own = levels.at(-1);
  const { overrides } = own ?? {};
  if (!own || !overrides) return [];
  const above = levels.slice(0, -1);
  const lost: Overridden[] = [];
  const lose = (name: keyof typeof overrides, found: string, holds: string, by: Origin) =>
    lost.push({ from: overrideOf(own, name), found, holds, by });
  for (const level of above) {
    const forced = level.overrides;
    if (!forced) continue;
    const amounts = [
      ['requestTimeout', time],
      ['maxRequestBytes', (value: string | number) => octets(Number(value))],
    ] as const;
    for (const [name, read] of amounts) {
      const [mine, theirs] = [overrides[name], forced[name]];
      if (mine === undefined || theirs === undefined) continue;
      const [found, holds] = [read(`${mine}`), read(`${theirs}`)];
      if (found.size > holds.size) lose(name, found.text, holds.text, overrideOf(level, name));
    }
    if (overrides.httpsRedirect && forced.httpsRedirect) {
      const [found, holds] = [
        redirectInWords(overrides.httpsRedirect),
        redirectInWords(forced.httpsRedirect),
      ];
      if (found !== holds) lose('httpsRedirect', found, holds, overrideOf(level, 'httpsRedirect'));
    }
    if (overrides.minTlsVersion && forced.minTlsVersion && overrides.minTlsVersion < forced.minTlsVersion) {
      lose(
        'minTlsVersion',
        overrides.minTlsVersion,
        forced.minTlsVersion,
        overrideOf(level, 'minTlsVersion'),
      );
    }
    const beyond = forced.ipAllow ? networksBeyond(overrides.ipAllow ?? [], forced.ipAllow) : [];
    if (beyond.length > 0) {
      const holds = listed(commonNetworks(overrides.ipAllow!, forced.ipAllow!)) || 'nobody';
      lose('ipAllow', listed(beyond), holds, overrideOf(level, 'ipAllow'));
    }
    if (overrides.responseHeaders && forced.responseHeaders) {
      const said = { value: overrides.responseHeaders, from: overrideOf(own, 'responseHeaders') };
      const by = overrideOf(level, 'responseHeaders');
      lost.push(...editedAgain(said, [{ value: forced.responseHeaders, from: by }]));
    }
  }
  return lost;
}
