/** Whether what came back, and what a backend saw, is as a case says. */
import type { Answer, CaseRequest } from './case.ts';
import type { Reply } from './client.ts';
import type { Arrival } from './echo-servers.ts';
import { type Mismatch, mismatch, textMatches, unequal } from './mismatch.ts';

export function reachedBy(reply: Reply, [arrival]: readonly Arrival[]): string {
  if (arrival) return arrival.backend;
  const [, service] = /^Hostname: (.+)$/m.exec(reply.body) ?? [];
  return service ?? `${reply.status}`;
}

export function expectedStatus(
  { echo }: CaseRequest,
  { status, backend, endpoint }: Answer,
): number | undefined {
  return status ?? echo?.status ?? (backend !== undefined || endpoint !== undefined ? 200 : undefined);
}

/** A value as a case writes it: several fields of one name joined by ", "; `absent` where there is none. */
function headerOf(rawHeaders: readonly string[], name: string): string {
  const values = rawHeaders.filter(
    (_, i) => i % 2 === 1 && rawHeaders[i - 1]!.toLowerCase() === name.toLowerCase(),
  );
  return values.length > 0 ? values.join(', ') : 'absent';
}

function checkHeaders(
  what: string,
  expected: ReadonlyMap<string, string> | undefined,
  rawHeaders: readonly string[],
): Mismatch[] {
  return [...(expected ?? [])].flatMap(([name, value]) => {
    const got = headerOf(rawHeaders, name);
    return textMatches(value, got) ? [] : [mismatch(`${what} ${name}`, value, got)];
  });
}

function checkText(what: string, expected: string | undefined, got: string): Mismatch[] {
  return expected === undefined || textMatches(expected, got) ? [] : [mismatch(what, expected, got)];
}

export function checkReply(expected: Answer, { rawHeaders, body, certificate }: Reply): Mismatch[] {
  const { certificate: name } = expected;
  return [
    ...checkHeaders('response header', expected.headers, rawHeaders),
    ...checkText('Location', expected.location, headerOf(rawHeaders, 'location')),
    ...checkText('body', expected.body, body),
    ...(name === undefined || certificate?.includes(name)
      ? []
      : [mismatch('certificate', name, certificate?.join(', ') ?? 'none')]),
  ];
}

export function checkWhoami({ backend }: Answer, { body }: Reply): Mismatch[] {
  const [, service] = /^Hostname: (.+)$/m.exec(body) ?? [];
  return unequal('backend', backend?.replace(/^.*\/|:\d+$/g, ''), service);
}

/** What came to a backend that should get a copy, or be asked, and the rest. */
export function apart(all: readonly Arrival[], expected: Answer) {
  const mirrored = all.filter(({ backend }) => expected.mirrored?.has(backend));
  const asked = all.filter(({ backend }) => expected.asked?.has(backend));
  const arrivals = all.filter((each) => !mirrored.includes(each) && !asked.includes(each));
  return { mirrored, asked, arrivals };
}

export function checkSeenByOthers(expected: Answer['asked'], arrivals: readonly Arrival[]): Mismatch[] {
  return [...(expected ?? [])].flatMap(([backend, saw]) => {
    const [first, ...more] = arrivals.filter((each) => each.backend === backend);
    if (!first || more.length > 0)
      return [mismatch(`requests for ${backend}`, 1, first ? more.length + 1 : 0)];
    return checkSeen(saw, first);
  });
}

function checkSeen(saw: Answer['saw'], arrival: Arrival): Mismatch[] {
  return [
    ...unequal('method at the backend', saw?.method, arrival.method),
    ...checkText('path at the backend', saw?.path, arrival.url),
    ...checkText('host at the backend', saw?.host, headerOf(arrival.rawHeaders, 'host')),
    ...checkText('body at the backend', saw?.body, arrival.body),
    ...checkText('certificate at the backend', saw?.certificate, arrival.certificate.join() || 'none'),
    ...checkHeaders('header at the backend', saw?.headers, arrival.rawHeaders),
  ];
}

/** What the backend saw; where none is expected, none may have seen anything. */
export function checkArrival(
  { backend, endpoint, saw, status, arrivals: wanted = 1 }: Answer,
  reply: Reply,
  arrivals: readonly Arrival[],
): Mismatch[] {
  const arrival = arrivals.at(-1);
  if (arrivals.length > 1 ? arrivals.length !== wanted : wanted > 1) {
    return [mismatch('requests that reached a backend', wanted, arrivals.length)];
  }
  if (!arrival) {
    return backend || endpoint || saw
      ? [
          mismatch(
            'backend',
            backend ?? endpoint ?? saw,
            `none: the gateway answered ${reply.status} ${reply.body}`,
          ),
        ]
      : [];
  }
  if (!backend && !endpoint && !saw && (status ?? 0) >= 300) {
    return [mismatch('backend', `none, the gateway answers ${status}`, arrival.backend)];
  }
  return [
    ...unequal('backend', backend, arrival.backend),
    ...unequal('endpoint', endpoint, arrival.endpoint),
    ...checkSeen(saw, arrival),
  ];
}
