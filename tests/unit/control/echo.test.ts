import { request } from 'node:http';
import { afterEach, describe, expect, it } from '@jest/globals';
import { EchoBackends } from '../../../gateway-runtime/echo/echo.ts';

const whoami = { namespace: 'default', service: 'whoami', port: 80 };
let echo = new EchoBackends();
afterEach(async () => {
  await echo.close();
  echo = new EchoBackends();
});

async function ask(options: {
  method?: string;
  path?: string;
  headers: string[];
  body?: string;
}): Promise<string> {
  const { port } = await echo.start(whoami);
  return new Promise((resolve, reject) => {
    const { method = 'GET', path = '/', headers, body } = options;
    request({ host: '127.0.0.1', port, method, path, headers, agent: false }, async (response) => {
      resolve((await response.toArray()).join(''));
    })
      .on('error', reject)
      .end(body);
  });
}

describe('EchoBackends', () => {
  it('answers with the request as it arrived, as whoami does', async () => {
    const text = await ask({
      path: '/foo?a=%20b',
      headers: ['host', 'whoami', 'x-forwarded-for', '10.0.0.1', 'X-REAL-IP', '10.0.0.1', 'accept', '*/*'],
    });
    expect(text.replace(/(RemoteAddr: 127\.0\.0\.1):\d+/, '$1:PORT')).toBe(`Hostname: whoami
IP: 127.0.0.1
RemoteAddr: 127.0.0.1:PORT
GET /foo?a=%20b HTTP/1.1
Host: whoami
X-Forwarded-For: 10.0.0.1
X-Real-Ip: 10.0.0.1
Accept: */*
Connection: close

`);
  });

  it('answers in JSON to those who accept it, with every value of a header and the body', async () => {
    const text = await ask({
      method: 'POST',
      headers: [
        'host',
        'whoami',
        'accept',
        'application/json',
        'x-a',
        '1',
        'x-a',
        '2',
        '__proto__',
        'p',
        'content-length',
        '5',
      ],
      body: 'hello',
    });
    const report = JSON.parse(text);
    expect(report).toMatchObject({
      hostname: 'whoami',
      service: { namespace: 'default', name: 'whoami', port: 80 },
      method: 'POST',
      url: '/',
      host: 'whoami',
      body: 'hello',
      bodyBytes: 5,
    });
    expect(report.headers['X-A']).toEqual(['1', '2']);
    expect(Object.hasOwn(report.headers, '__proto__')).toBe(true);
  });

  it('shows a large body in part and says how large it is', async () => {
    const text = await ask({ method: 'PUT', headers: ['host', 'whoami'], body: 'x'.repeat(100_000) });
    expect(text.endsWith('(100000 bytes in all)\n')).toBe(true);
    expect(text.length).toBeLessThan(70_000);
  });

  it('has one server for each Service port', async () => {
    const first = await echo.start(whoami);
    expect(await echo.start(whoami)).toEqual(first);
    expect((await echo.start({ ...whoami, port: 81 })).port).not.toBe(first.port);
    expect(echo.endpoint(whoami)).toEqual(first);
    expect(echo.endpoint({ ...whoami, service: 'nginx' })).toBeUndefined();
  });
});
