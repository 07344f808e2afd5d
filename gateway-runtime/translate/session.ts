/** Session persistence of a rule as the snapshot has it (HTTPRouteRule.sessionPersistence, GEP-1619). */
import { durationMilliseconds } from '../api/fields.ts';
import { FRAMING } from '../api/http-filter.ts';
import type { KindObject } from '../api/kinds.ts';
import type { RuleSession } from '../snapshot/snapshot.ts';

type SessionSpec = NonNullable<KindObject<'HTTPRoute'>['spec']['rules'][number]['sessionPersistence']>;

/** Of cookies (RFC 6265 section 4.1.1) and of fields (RFC 9110 section 5.1). */
const TOKEN = /^[!#$%&'*+\-.^_`|~0-9A-Za-z]+$/;
/** Browsers take such cookies only with attributes that a rule can't promise (RFC 6265bis section 4.1.3). */
const COOKIE_PREFIX = /^__(?:Host|Secure)-/i;
/** Fields that mean something already; a session in one of them would take its place. */
const STANDARD_FIELD =
  /^(?:(?:accept|access-control|content|if|proxy|sec|x-forwarded)(?:-.*)?|age|allow|authorization|cache-control|cookie|date|etag|expect|expires|forwarded|from|host|last-modified|location|origin|range|referer|retry-after|server|set-cookie|user-agent|vary|via|www-authenticate|x-real-ip)$/;

/** `refuse` is told of what can't be kept. */
export function translateSession(
  { type, sessionName, absoluteTimeout, cookieConfig }: SessionSpec,
  field: string,
  refuse: (at: string, message: string, fix: string) => void,
): RuleSession {
  const fix = 'choose another name, or remove it to have one made';
  if (sessionName !== undefined && !TOKEN.test(sessionName)) {
    refuse(
      `${field}.sessionName`,
      `found the name ${JSON.stringify(sessionName)}, which no ${type === 'Cookie' ? 'cookie' : 'header'} can have`,
      fix,
    );
  } else if (sessionName !== undefined && type === 'Cookie' && COOKIE_PREFIX.test(sessionName)) {
    refuse(
      `${field}.sessionName`,
      `found the name ${sessionName}, with a prefix that browsers take only with attributes which this cookie need not have`,
      fix,
    );
  } else if (sessionName !== undefined && type === 'Header' && hasMeaning(sessionName.toLowerCase())) {
    refuse(
      `${field}.sessionName`,
      `found the name ${sessionName}, which is that of a header with a meaning of its own`,
      fix,
    );
  }
  const lifetime = absoluteTimeout === undefined ? undefined : durationMilliseconds(absoluteTimeout);
  if (lifetime === 0) {
    refuse(
      `${field}.absoluteTimeout`,
      `found ${absoluteTimeout}, after which no session would be left`,
      'give sessions some time, or remove absoluteTimeout to have them last',
    );
  }
  return {
    type,
    ...(sessionName === undefined ? {} : { name: sessionName }),
    ...(lifetime === undefined ? {} : { lifetime }),
    ...(cookieConfig?.lifetimeType === 'Permanent' ? { isPermanent: true } : {}),
  };
}

const hasMeaning = (name: string) => FRAMING.has(name) || STANDARD_FIELD.test(name);
