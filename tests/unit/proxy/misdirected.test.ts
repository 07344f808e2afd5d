/** Requests on a connection whose client did not show what their listener asks for by now, or speaks an older TLS. */
import { expect, it } from '@jest/globals';
import { Router } from '../../../gateway-runtime/match/router.ts';
import type { ClientIdentity } from '../../../gateway-runtime/proxy/client-certificates.ts';
import { type ClientConnection, type Exchange, Outcome } from '../../../gateway-runtime/proxy/exchange.ts';
import type { CompiledRule } from '../../../gateway-runtime/proxy/pipeline/compiled-rule.ts';
import { Pipeline, type PipelineOptions } from '../../../gateway-runtime/proxy/pipeline/pipeline.ts';
import { re2 } from '../../../gateway-runtime/regex/re2.ts';
import { difference } from '../../../gateway-runtime/snapshot/difference.ts';
import type { ClientCertificates, Listener } from '../../../gateway-runtime/snapshot/snapshot.ts';
import { listener, request, snapshot } from '../match/snapshots.ts';

const NOT_ROUTED = 404;
const MISDIRECTED = 421;

const asking = (mode: ClientCertificates['mode']) => ({
  clientCertificates: { mode, authorities: ['ca-bundle/infra/ours'] },
});

/** Of a request to a listener that asks for this, on a connection that is so. */
function statusOf(
  asked: Pick<Listener, 'clientCertificates' | 'minTlsVersion'>,
  connection: Pick<ClientConnection, 'client' | 'tlsVersion'>,
): number {
  const web = listener('web', { port: 443, protocol: 'HTTPS', ...asked });
  const router = Router.empty<CompiledRule>({
    regex: re2,
    compile: () => {
      throw new Error('there is no rule');
    },
  }).with(difference(undefined, snapshot(web)));
  let status = 0;
  const exchange: Pick<Exchange, 'connection' | 'request' | 'outcome' | 'reply'> = {
    connection: {
      remoteAddress: '127.0.0.1',
      remotePort: 1,
      port: 443,
      tls: true,
      serverName: 'a.example',
      ...connection,
    },
    request: request('GET a.example/'),
    outcome: new Outcome(),
    reply: (reply) => {
      status = reply.status;
    },
  };
  new Pipeline(router, { upstreams: {} } as PipelineOptions).onRequest(exchange as Exchange);
  return status;
}

it('asks for the TLS of the listener on every request', () => {
  const strict = { minTlsVersion: 'TLSv1.3' } as const;
  expect(statusOf(strict, { tlsVersion: 'TLSv1.2' })).toBe(MISDIRECTED);
  expect(statusOf(strict, {})).toBe(MISDIRECTED);
  expect(statusOf(strict, { tlsVersion: 'TLSv1.3' })).toBe(NOT_ROUTED);
  expect(statusOf({ minTlsVersion: 'TLSv1.2' }, { tlsVersion: 'TLSv1.2' })).toBe(NOT_ROUTED);
  expect(statusOf({}, { tlsVersion: 'TLSv1.2' })).toBe(NOT_ROUTED);
});

it.each([
  [undefined, MISDIRECTED],
  [{ state: 'none' }, MISDIRECTED],
  [{ state: 'not-verified', problem: 'CERT_HAS_EXPIRED' }, MISDIRECTED],
  [{ state: 'verified', subject: 'CN=a', fingerprint: '0' }, NOT_ROUTED],
] satisfies [ClientIdentity | undefined, number][])(
  'a client that is %j has AllowValidOnly answer %d, and the others serve it',
  (client, status) => {
    const connection = client ? { client } : {};
    expect(statusOf(asking('AllowValidOnly'), connection)).toBe(status);
    expect(statusOf(asking('AllowInsecureFallback'), connection)).toBe(NOT_ROUTED);
    expect(statusOf({}, connection)).toBe(NOT_ROUTED);
  },
);
