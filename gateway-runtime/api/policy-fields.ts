/** What the kinds of policies of our own have in common: their targets, and each thing that they can say. */
import { durationMilliseconds, headerName, headerValue, objectName, sectionName } from './fields.ts';
import { FRAMING } from './http-filter.ts';
import { GATEWAY_GROUP } from './names.ts';
import { isNetwork } from './network-lists.ts';
import {
  boolean,
  defaulted,
  described,
  hidden,
  type Infer,
  integer,
  list,
  object,
  oneOf,
  optional,
  type Pattern,
  rule,
  ruled,
  string,
} from './schema.ts';

/** That something is said at all. */
export const says = (names: readonly string[]) =>
  rule<object>(
    {
      rule: names.map((name) => `has(self.${name})`).join(' || '),
      message: `set at least one of ${names.join(', ')}`,
    },
    (value, field) =>
      names.some((name) => name in value)
        ? undefined
        : { field, found: 'nothing', expected: `at least one of ${names.join(', ')}` },
  );

interface Target {
  kind: string;
  name: string;
  sectionName?: string;
}

const targetsAreDistinct = rule<Target[]>(
  {
    rule: 'self.all(a, self.exists_one(b, a.kind == b.kind && a.name == b.name && (has(a.sectionName) ? a.sectionName : "") == (has(b.sectionName) ? b.sectionName : "")))',
    message: 'each target is named once',
  },
  (targets, field) => {
    const keys = targets.map(({ kind, name, sectionName = '' }) => `${kind}/${name}/${sectionName}`);
    const index = keys.findIndex((key, at) => keys.indexOf(key) < at);
    return index < 0
      ? undefined
      : { field: `${field}[${index}]`, found: keys[index]!, expected: 'a target that is not named before' };
  },
);

/** LocalPolicyTargetReferenceWithSectionName: objects of the namespace of the policy. */
export const targetRefs = <const Kind extends string>(kinds: readonly [Kind, ...Kind[]], section: string) =>
  described(
    'What it is for: objects of its own namespace.',
    list(
      object({
        group: oneOf([GATEWAY_GROUP], GATEWAY_GROUP),
        kind: oneOf(kinds),
        name: objectName(),
        sectionName: optional(described(section, sectionName())),
      }),
      { min: 1, max: 16, rules: [targetsAreDistinct] },
    ),
  );

/** Where a redirect leads for clients that find no other port. */
const HTTPS_PORT = 443;

export const httpsRedirect = () =>
  described(
    'Whether requests on listeners of protocol HTTP are redirected to HTTPS, instead of being served.',
    object({
      enabled: defaulted(boolean(), true),
      statusCode: described(
        '308 has clients repeat the request as it was; after a 301, many send a GET.',
        oneOf([301, 308], 308),
      ),
      port: described(
        'The port of the listener that it leads to.',
        integer({ min: 1, max: 65535, default: HTTPS_PORT }),
      ),
    }),
  );
export type HttpsRedirect = Infer<ReturnType<typeof httpsRedirect>>;

export const minTlsVersion = () =>
  described(
    'The lowest version of TLS in which listeners that have a certificate take connections.',
    oneOf(['TLSv1.2', 'TLSv1.3']),
  );

/** A tebibyte: more than that is no bound. */
const MOST_BYTES = 2 ** 40;
export const bytes = (description: string) => described(description, integer({ min: 0, max: MOST_BYTES }));

const durationPattern: Pattern = {
  regex: /^([0-9]{1,5}(h|m|s|ms)){1,4}$/,
  words: 'a duration such as 500ms, 10s or 1h30m (GEP-2257)',
};
const isAboveZero = rule<string>(
  { rule: 'duration(self) > duration("0s")', message: 'expected more than 0s' },
  (text, field) =>
    durationMilliseconds(text) > 0 ? undefined : { field, found: text, expected: 'more than 0s' },
);
/** A limit, so that 0s, which stands for none in a route, is no value. */
export const timeLimit = (description: string) =>
  described(description, ruled(string({ max: 28, pattern: durationPattern }), [isAboveZero]));

const framesNothing = rule<string>(
  {
    rule: `!(self.lowerAscii() in [${[...FRAMING].map((name) => `"${name}"`).join(', ')}])`,
    message: 'the header frames messages or belongs to one connection',
  },
  (name, field) =>
    FRAMING.has(name.toLowerCase())
      ? {
          field,
          found: name,
          expected: 'a header that neither frames messages nor belongs to one connection',
        }
      : undefined,
);
const editedName = () => ruled(headerName(), [framesNothing]);
const headers = (description: string) =>
  described(
    description,
    // Values may be credentials.
    hidden(list(object({ name: editedName(), value: headerValue() }), { max: 16, keyField: 'name' })),
  );

export const responseHeaders = () =>
  described(
    'Edits of the answers of backends: set, then add, then remove.',
    object({
      set: optional(headers('In place of all headers of the name.')),
      add: optional(headers('Beside those of the name.')),
      remove: optional(described('By name.', list(editedName(), { max: 16 }))),
    }),
  );
export type ResponseHeaders = Infer<ReturnType<typeof responseHeaders>>;

const isInOneSpelling = rule<string>(
  {
    rule: 'isCIDR(self) && cidr(self) == cidr(self).masked() && string(cidr(self)) == self',
    message: 'expected a network such as 10.0.0.0/8 or 2001:db8::/32, without host bits',
  },
  (text, field) =>
    isNetwork(text)
      ? undefined
      : { field, found: text, expected: 'a network such as 10.0.0.0/8 or 2001:db8::/32, without host bits' },
);
export const networks = () =>
  described(
    'The networks from which clients may come, in CIDR; others are answered 403.',
    list(ruled(string({ max: 43 }), [isInOneSpelling]), { min: 1, max: 64 }),
  );
