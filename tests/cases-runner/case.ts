/**
 * The form of a case: one YAML file that states one behaviour as objects, requests, answers and statuses. Parsed
 * strictly: an unknown key is an error, and so is a case that asserts nothing. `tests/cases/README.md` explains the keys.
 */
import { isMap, isSeq, parseDocument } from 'yaml';
import type { RawObject } from '../../gateway-runtime/api/object.ts';
import {
  boolean,
  type FieldProblem,
  type Infer,
  integer,
  list,
  object,
  oneOf,
  optional,
  type Schema,
  string,
  stringMap,
} from '../../gateway-runtime/api/schema.ts';
import type { Message } from '../support/protobuf.ts';
import { statusExpectation } from './status-form.ts';

function custom<T>(expected: string, read: (value: unknown) => T | undefined): Schema<T> {
  return {
    check(value, field, problems) {
      const result = read(value);
      if (result === undefined) problems.push({ field, found: JSON.stringify(value) ?? 'nothing', expected });
      return result as T;
    },
  };
}

/** A map whose keys are the author's, such as header names or object keys. */
export function mapOf<T>(entry: Schema<T>): Schema<ReadonlyMap<string, T>> {
  return {
    check(value, field, problems) {
      if (typeof value !== 'object' || value === null || Array.isArray(value)) {
        problems.push({ field, found: JSON.stringify(value) ?? 'nothing', expected: 'a map' });
        return new Map();
      }
      return new Map(
        Object.entries(value).map(([key, each]) => [key, entry.check(each, `${field}.${key}`, problems)]),
      );
    },
  };
}

const rawObject = custom<RawObject>('a Kubernetes object', (value) =>
  typeof value === 'object' && value !== null && !Array.isArray(value) ? (value as RawObject) : undefined,
);

/** One value, or several fields of one name. */
const sentHeaders = mapOf(
  custom<readonly string[]>('a header value or a list of them', (value) =>
    typeof value === 'string' ? [value] : Array.isArray(value) ? value.map(String) : undefined,
  ),
);

/** What a header must be; `absent` where it must not be there; a text between slashes is a regular expression. */
const expectedHeaders = mapOf(string());

const seen = object({
  method: optional(string()),
  /** Path with query, as the backend received it. */
  path: optional(string()),
  host: optional(string()),
  headers: optional(expectedHeaders),
  body: optional(string()),
  /** Name in the certificate that the gateway showed; `none` where it showed none. */
  certificate: optional(string()),
});

const answerFields = object({
  status: optional(integer({ min: 100, max: 599 })),
  backend: optional(string()),
  endpoint: optional(string()),
  /** `<namespace>/<route>#<index or name of the rule>` */
  rule: optional(string()),
  /** Name of the listener that serves it. */
  listener: optional(string()),
  saw: optional(seen),
  /** How often it was sent to the backend, where that is not once. */
  arrivals: optional(integer({ min: 2 })),
  /** Backends that must get a copy of the request, with what they see. */
  mirrored: optional(mapOf(seen)),
  /** Authorization services that must be asked, with what they see. */
  asked: optional(mapOf(seen)),
  headers: optional(expectedHeaders),
  location: optional(string()),
  body: optional(string()),
  certificate: optional(string()),
  closes: optional(boolean()),
  refused: optional(boolean()),
});
export type Answer = Infer<typeof answerFields>;

/** A number is a status, a text is `<namespace>/<service>:<port>` or `refused`. */
const answer: Schema<Answer> = {
  check(value, field, problems) {
    if (typeof value === 'number') return answerFields.check({ status: value }, field, problems);
    if (value === 'refused') return { refused: true };
    if (typeof value === 'string') return answerFields.check({ backend: value }, field, problems);
    return answerFields.check(value, field, problems);
  },
};

const asMessage = (value: unknown) =>
  typeof value === 'object' && value !== null && !Array.isArray(value) ? (value as Message) : undefined;

const echoFields = {
  status: optional(integer({ min: 200, max: 599 })),
  headers: optional(sentHeaders),
  body: optional(string()),
  /** It reads the request and says nothing. */
  silent: optional(boolean()),
  /** It reads the request and closes the connection. */
  closes: optional(boolean()),
  /** A CheckResponse, by the names that `tests/support/ext-authz.ts` has; a plain yes where a call of gRPC is answered with none. */
  check: optional(custom<Message>('the fields of a CheckResponse', asMessage)),
};
const echo = object({
  ...echoFields,
  /** What it answers to the first requests, one after the other. */
  first: optional(list(object(echoFields), { min: 1 })),
});
export type EchoReply = Infer<typeof echo>;

const requestLine = custom<{ method: string; url: string }>(
  'a method and a URL, such as GET http://shop.example.com/cart',
  (value) => {
    const [, method, url] = typeof value === 'string' ? (/^(\S+) (https?:\/\/.+)$/s.exec(value) ?? []) : [];
    return method && url ? { method, url } : undefined;
  },
);

const request = object(
  {
    request: requestLine,
    about: optional(string()),
    gateway: optional(string()),
    /** Fields that are sent as answers of this case had them last: `cookie` (all cookies that were set), or names of headers. */
    carries: optional(list(string(), { min: 1 })),
    /** Value of the Host header, where it is not the authority of the URL. */
    host: optional(string()),
    headers: optional(sentHeaders),
    body: optional(string()),
    /** Server name of the TLS handshake, where it is not the host of the URL; `none` for a handshake without one. */
    serverName: optional(string()),
    /** The authority of `authorities` from which the client has a certificate that it shows. */
    clientCertificate: optional(string()),
    /** The bytes to be sent in place of a well-formed request; line feeds become CR LF unless there is a CR already. */
    raw: optional(string()),
    /** What the backend answers; 200 with an empty body unless said. */
    echo: optional(echo),
    /** What authorization services answer; as backends do unless said. */
    authorizes: optional(mapOf(object(echoFields))),
    answer: optional(answer),
    shares: optional(mapOf(integer({ min: 0 }))),
  },
  {
    rules: [
      (each, field) =>
        each.answer || each.shares
          ? undefined
          : { field, found: 'a request without an expectation', expected: 'answer or shares' },
    ],
  },
);
export type CaseRequest = Infer<typeof request>;

const diagnosticExpectation = object(
  {
    code: optional(string()),
    severity: optional(oneOf(['error', 'warning', 'info'])),
    object: optional(string()),
    field: optional(string()),
    /** A part of the message. */
    message: optional(string()),
    /** A part of the fix. */
    fix: optional(string()),
  },
  {
    rules: [
      (each, field) =>
        Object.keys(each).length
          ? undefined
          : { field, found: 'nothing', expected: 'code, object, field, message' },
    ],
  },
);
export type DiagnosticExpectation = Infer<typeof diagnosticExpectation>;

/** `none`, or diagnostics each of which must be there (others may be). */
const diagnostics: Schema<DiagnosticExpectation[]> = {
  check: (value, field, problems) =>
    value === 'none' ? [] : list(diagnosticExpectation, { min: 1 }).check(value, field, problems),
};

const expectations = {
  requests: optional(list(request, { min: 1 })),
  statuses: optional(mapOf(statusExpectation)),
  diagnostics: optional(diagnostics),
};

const edit = object({
  about: string({ min: 10 }),
  /** Objects put in place of those with the same kind, namespace and name. */
  set: optional(list(rawObject, { min: 1 })),
  /** `Kind/namespace/name` to field path to new value; null removes the field. */
  change: optional(mapOf(mapOf(custom<{ to: unknown }>('a value', (to) => ({ to }))))),
  remove: optional(list(string(), { min: 1 })),
  certificates: optional(mapOf(list(string(), { min: 1 }))),
  authorities: optional(mapOf(string())),
  ...expectations,
});
export type Edit = Infer<typeof edit>;

const caseForm = object({
  /** The behaviour, in one sentence. */
  about: string({ min: 10 }),
  /** Where the behaviour is written down. */
  spec: string({ min: 5 }),
  /** Fragments of `_shared/` whose objects come before those of the case. */
  use: optional(list(string(), { min: 1 })),
  objects: optional(list(rawObject)),
  /** `namespace/name` of a TLS Secret, made for this run, to the names in its certificate. */
  certificates: optional(mapOf(list(string(), { min: 1 }))),
  /** `namespace/name` of a ConfigMap to the name of an authority, made for this run, whose certificate is in it. */
  authorities: optional(mapOf(string())),
  /** `namespace/service:port` of backends that speak TLS alone, with a certificate of an authority for these names. */
  backendsWithTls: optional(mapOf(object({ authority: string(), names: list(string(), { min: 1 }) }))),
  classes: optional(
    custom<'own' | 'any' | string[]>('own, any or a list of class names', (value) =>
      value === 'own' || value === 'any' ? value : Array.isArray(value) ? value.map(String) : undefined,
    ),
  ),
  /** Of each namespace on one Gateway, as TranslateOptions has them. */
  limits: optional(
    object({
      rules: optional(integer({ min: 1 })),
      matches: optional(integer({ min: 1 })),
      regexCharacters: optional(integer({ min: 1 })),
    }),
  ),
  agent: optional(
    object({
      trustedHops: optional(list(string())),
      serverName: optional(string()),
      publicPorts: optional(stringMap(integerText())),
    }),
  ),
  /** `echo` answers 200 with what the request asks for; `whoami` with its text form. */
  backends: oneOf(['echo', 'whoami'], 'echo'),
  /** Fields that the case shows at work, `HTTPRoute.rules.matches.method` (no `spec`, no indices): where they apply... */
  positive: optional(list(string(), { min: 1 })),
  /** ...where they do not, or are refused... */
  negative: optional(list(string(), { min: 1 })),
  /** ...and both. */
  shows: optional(list(string(), { min: 1 })),
  ...expectations,
  edits: optional(list(edit, { min: 1 })),
});
export type CaseForm = Infer<typeof caseForm>;

function integerText(): Schema<string> {
  return custom('a port', (value) => (/^\d+$/.test(String(value)) ? String(value) : undefined));
}

function assertsSomething(step: { requests?: unknown; statuses?: unknown; diagnostics?: unknown }): boolean {
  return step.requests !== undefined || step.statuses !== undefined || step.diagnostics !== undefined;
}

export class CaseError extends Error {
  override readonly name = 'CaseError';
}

/** A case from its text, or an error that names the file and every wrong key. */
export function parseCase(file: string, text: string): CaseForm {
  const document = parseDocument(text, { uniqueKeys: true });
  if (document.errors.length > 0) throw new CaseError(`${file}: ${document.errors[0]!.message}`);
  if (!isMap(document.contents)) throw new CaseError(`${file}: expected a map with about, spec, objects`);
  const problems: FieldProblem[] = [];
  const form = caseForm.check(document.toJS({ maxAliasCount: 100 }), '', problems);
  if (problems.length > 0) {
    const lines = problems.map(
      ({ field, found, expected }) => `  ${field || 'the case'}: found ${found}, expected ${expected}`,
    );
    throw new CaseError(`${file}:\n${lines.join('\n')}`);
  }
  for (const step of [form, ...(form.edits ?? [])]) {
    if (!assertsSomething(step) && (step !== form || !form.edits)) {
      throw new CaseError(`${file}: "${step.about}" asserts nothing: give requests, statuses or diagnostics`);
    }
  }
  return form;
}

/** The objects of a shared fragment: a list. */
export function parseFragment(file: string, text: string): RawObject[] {
  const document = parseDocument(text, { uniqueKeys: true });
  if (document.errors.length > 0) throw new CaseError(`${file}: ${document.errors[0]!.message}`);
  if (!isSeq(document.contents)) throw new CaseError(`${file}: expected a list of objects`);
  return document.toJS() as RawObject[];
}
