/**
 * envoy.service.auth.v3.CheckResponse: what a Service says of a request that it was asked about. Read strictly. What it asks for that is not done here,
 * such as another query, makes it no answer: the request must not go on without.
 */
import type { ReplyField } from '../definition.ts';
import { isFieldName, isFieldValue } from '../field-syntax.ts';
import {
  latin1Of,
  MalformedMessage,
  numberOf,
  octetsOf,
  readMessage,
  type Value,
} from './protobuf-reader.ts';

/** A field of a head, and what becomes of those of its name that are there. */
export interface FieldEdit {
  readonly field: ReplyField;
  /** `replace` puts it there in any case; `add` leaves what is there; `add-if-absent` and `replace-if-present` do what they say. */
  readonly action: 'replace' | 'add' | 'add-if-absent' | 'replace-if-present';
}

export type CheckAnswer =
  | {
      readonly isAllowed: true;
      /** For the request. */
      readonly edits: readonly FieldEdit[];
      /** Names, in lower case. */
      readonly removes: readonly string[];
      /** For the response of the backend. */
      readonly responseEdits: readonly FieldEdit[];
    }
  | {
      readonly isAllowed: false;
      /** Default: 403. */
      readonly status: number;
      readonly edits: readonly FieldEdit[];
      readonly body: Uint8Array;
    };

// Numbers of fields, by message.
const RESPONSE = { status: 1, denied: 2, ok: 3, error: 5 };
const RPC_STATUS = { code: 1 };
const OK = { headers: 2, remove: 5, responseHeaders: 6, setQuery: 7, removeQuery: 8 };
const DENIED = { status: 1, headers: 2, body: 3 };
const HTTP_STATUS = { code: 1 };
const OPTION = { header: 1, append: 2, action: 3 };
const BOOL_VALUE = { value: 1 };
const HEADER = { key: 1, value: 2, rawValue: 3 };

/** HeaderValueOption.HeaderAppendAction, by number. */
const ACTIONS = ['add', 'add-if-absent', 'replace', 'replace-if-present'] as const;

/** Fields of one answer. More would be those of no head that is sent on. */
const MOST_EDITS = 1_000;

const NOTHING: Uint8Array = new Uint8Array(0);

/** Throws MalformedMessage where it is none, or says neither yes nor no. */
export function readCheckResponse(message: Uint8Array): CheckAnswer {
  let code: number | undefined;
  let ok: Uint8Array | undefined;
  let denied: Uint8Array | undefined;
  readMessage(message, (field, value) => {
    if (field === RESPONSE.status) code = codeOf(octetsOf(value));
    else if (field === RESPONSE.ok) ok = once(ok ?? denied, value);
    else if (field === RESPONSE.denied) denied = once(ok ?? denied, value);
    else if (field === RESPONSE.error) throw new MalformedMessage('the Service has failed, as it says');
  });
  const isSilent = code === undefined && !ok && !denied;
  if (isSilent || (denied && code === 0)) throw new MalformedMessage('found neither a yes nor a no');
  // "Any other status indicates the request should be denied."
  return denied || (code ?? 0) !== 0 ? readDenied(denied ?? NOTHING) : readOk(ok ?? NOTHING);
}

function once(before: Uint8Array | undefined, value: Value): Uint8Array {
  if (before) throw new MalformedMessage('found two answers in one');
  return octetsOf(value);
}

function codeOf(status: Uint8Array): number {
  let code = 0;
  readMessage(status, (field, value) => {
    if (field === RPC_STATUS.code) code = numberOf(value);
  });
  return code;
}

function readOk(message: Uint8Array): CheckAnswer {
  const edits: FieldEdit[] = [];
  const responseEdits: FieldEdit[] = [];
  const removes: string[] = [];
  readMessage(message, (field, value) => {
    switch (field) {
      case OK.headers:
        add(edits, value, 'ok');
        break;
      case OK.responseHeaders:
        add(responseEdits, value, 'response');
        break;
      case OK.remove:
        addRemoved(removes, value);
        break;
      case OK.setQuery:
      case OK.removeQuery:
        throw new MalformedMessage('found another query, which is not served');
      default:
      // Metadata for filters of other gateways.
    }
  });
  return { isAllowed: true, edits, removes, responseEdits };
}

function readDenied(message: Uint8Array): CheckAnswer {
  let status = 403;
  let body = NOTHING;
  const edits: FieldEdit[] = [];
  readMessage(message, (field, value) => {
    if (field === DENIED.status) {
      readMessage(octetsOf(value), (inner, code) => {
        if (inner === HTTP_STATUS.code) status = numberOf(code);
      });
    } else if (field === DENIED.headers) add(edits, value, 'denied');
    else if (field === DENIED.body) body = octetsOf(value);
  });
  return { isAllowed: false, status, edits, body };
}

/** `append` "defaults to false" in these messages; of fields for a response `append_action` counts where `append` is not set. */
function add(edits: FieldEdit[], option: Value, of: 'ok' | 'response' | 'denied'): void {
  let field: ReplyField | undefined;
  let append: boolean | undefined;
  let action = 0;
  readMessage(octetsOf(option), (number, value) => {
    if (number === OPTION.header) field = headerOf(octetsOf(value));
    else if (number === OPTION.append) {
      append = false;
      readMessage(octetsOf(value), (inner, flag) => {
        if (inner === BOOL_VALUE.value) append = numberOf(flag) !== 0;
      });
    } else if (number === OPTION.action) action = numberOf(value);
  });
  const named = ACTIONS[action];
  if (!field || !named)
    throw new MalformedMessage('found a header without a name, or with an action that there is not');
  const isByAction = append === undefined && of === 'response';
  bounded(edits).push({ field, action: isByAction ? named : append ? 'add' : 'replace' });
}

function headerOf(message: Uint8Array): ReplyField {
  let name = '';
  let value = '';
  readMessage(message, (field, each) => {
    if (field === HEADER.key) name = nameOf(each);
    else if (field === HEADER.value || field === HEADER.rawValue) value = latin1Of(each);
  });
  if (name === '' || !isFieldValue(value)) throw new MalformedMessage('found a header that is none');
  return [name, value.trim()];
}

/** Of pseudo headers "[if] mentioned in `headers_to_remove` these special headers will be ignored". */
function addRemoved(removes: string[], value: Value): void {
  if (!latin1Of(value).startsWith(':')) bounded(removes).push(nameOf(value).toLowerCase());
}

/** A pseudo header is none to be set: that would be another request than the one that was asked about. */
function nameOf(value: Value): string {
  const name = latin1Of(value);
  if (!isFieldName(name)) throw new MalformedMessage('found a name of a header that is none');
  return name;
}

function bounded<T>(list: T[]): T[] {
  if (list.length === MOST_EDITS) throw new MalformedMessage('found too many headers');
  return list;
}
