/** What fuzzing of each target begins with: messages picked by hand for the differential tests, and what was found before. */
import { existsSync, readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { PICKED, SPLIT } from '../differential/messages.ts';
import { PICKED_RESPONSES } from '../differential/messages-back.ts';
import { extension, helloMessage, inRecords, serverNameExtension } from '../support/client-hello.ts';
import { CHECK_RESPONSE, header } from '../support/ext-authz.ts';
import { encode, type Message } from '../support/protobuf.ts';

/** What failed once, one file each, named after its target: `request-1f2e3d.bin`. */
export const FINDS = join(import.meta.dirname, 'finds');

export function findsOf(target: string): Buffer[] {
  if (!existsSync(FINDS)) return [];
  return readdirSync(FINDS)
    .filter((name) => name.startsWith(`${target}-`))
    .map((name) => readFileSync(join(FINDS, name)));
}

const LONGEST = 2_000;
const requests = PICKED.map(([, text]) => text);
const bodyOf = (text: string) => text.slice(text.indexOf('\r\n\r\n') + 4);

const option = header('x-user', 'alice', { append: { value: true }, action: 2 });
const check = (message: Message) => encode(CHECK_RESPONSE, message).toString('latin1');
const ANSWERS = [
  ...[{}, { status: {} }, { ok: {} }, { denied: {} }, { error: {} }, { ok: {}, denied: {} }],
  ...[0, 7, -1, 2 ** 40].map((code) => ({ status: { code, message: 'why' } })),
  ...[200, 401, 0].map((code) => ({
    denied: { status: { code }, headers: [option], body: Buffer.from('no') },
  })),
  { status: { code: 0 }, ok: { headers: [option, header('', ''), header(':path', '/')] } },
  { status: { code: 0 }, ok: { headers: [header('x-a', 'a\r\nb')], remove: ['cookie', ':path', ''] } },
  { ok: { responseHeaders: [0, 1, 2, 3, 4].map((action) => header('x-a', '', { action })) } },
  { ok: { setQuery: [{ key: 'a', value: 'b' }] } },
  { ok: { removeQuery: ['a'], metadata: Buffer.from('a') }, metadata: Buffer.from('b') },
].map(check);
/** What no writer gives: wire types that there are not, groups, numbers without end, lengths beyond it. */
const BROKEN = [
  '00',
  '0b',
  '0c',
  '0e',
  '0f',
  '0a05',
  '0affffffff0f',
  '08ffffffffffffffffff01',
  '08ffffffffffffffffff02',
];

/** Plans of `connection.ts`: pieces of all sizes, and answers and pauses of every kind. */
const PLANS = Array.from({ length: 64 }, (_, bits) =>
  String.fromCharCode(bits, [1, 7, 40, 0][bits & 3]!, [3, 0, 200][bits % 3]!, 1 + bits),
);
/** Every cut of them is tried, and each is read several times. */
const LONGEST_CONVERSATION = 400;

const SEEDS: Readonly<Record<string, readonly string[]>> = {
  check: [...ANSWERS, ...BROKEN.map((hex) => Buffer.from(hex, 'hex').toString('latin1'))],
  connection: [...requests, ...SPLIT, ...SPLIT.map((text) => requests[0]! + text)]
    .filter(({ length }) => length <= LONGEST_CONVERSATION)
    .map((text, index) => PLANS[index % PLANS.length]! + text),
  request: requests,
  response: PICKED_RESPONSES.map(([, text]) => text),
  chunks: requests.filter((text) => text.includes('chunked')).map(bodyOf),
  target: requests.map(
    (text) => `${/^\S* (\S*)/.exec(text)?.[1] ?? ''}\n${/\r\nHost: ?(.*)\r\n/i.exec(text)?.[1] ?? ''}`,
  ),
};

/** ClientHellos: with names, without, in many records, and with what may stand around a name. */
const HELLOS: readonly Buffer[] = [
  {},
  { extensions: [] },
  { sessionId: Array.from({ length: 32 }, () => 1) },
  { suites: [0x13, 1, 0x13, 2, 0xc0, 0x2f] },
  {
    extensions: [
      extension(0x0a0a, []),
      serverNameExtension('shop.example.com'),
      extension(16, [0, 3, 2, 104, 50]),
    ],
  },
  { extensions: [serverNameExtension('a.example'), serverNameExtension('b.example')] },
  { extensions: [extension(0xfe0d, [0, 0, 1, 0, 1, 5]), serverNameExtension('outer.example')] },
  { extensions: [extension(0, [0, 8, 0, 0, 1, 97, 0, 0, 1, 98])] },
].flatMap((parts) => [0, 9, 40].map((most) => inRecords(helloMessage(parts), most || undefined)));

export const seedsOf = (target: string): Buffer[] => {
  if (target === 'hello') return [...HELLOS, ...findsOf(target)];
  const texts = new Set(SEEDS[target]!.filter(({ length }) => length > 0 && length <= LONGEST));
  return [...[...texts].map((text) => Buffer.from(text, 'latin1')), ...findsOf(target)];
};
