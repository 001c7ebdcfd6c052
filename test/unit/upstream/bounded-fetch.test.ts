import dns from 'node:dns/promises';
import { createServer, type RequestListener, type Server } from 'node:http';
import { createServer as createTlsServer } from 'node:https';
import type { AddressInfo } from 'node:net';
import { gzipSync } from 'node:zlib';
import { afterEach, describe, expect, it, vi } from 'vitest';
import { boundedFetch, UnusableAddressError } from '../../../src/upstream/bounded-fetch.ts';
import { selfSigned } from '../../support/self-signed.ts';
import { faultOf } from '../../support/upstream-trip.ts';

let server: Server | undefined;
afterEach(() => {
  vi.restoreAllMocks();
  server?.closeAllConnections();
  server?.close();
});

async function serve(listener: RequestListener): Promise<string> {
  server = createServer(listener);
  await new Promise<void>((resolve) => server?.listen(0, '127.0.0.1', resolve));
  return `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
}

const soon = () => AbortSignal.timeout(1000);

describe('the way out to an upstream', () => {
  it('hands on answers of the protocol, errors included', async () => {
    const address = await serve((_request, response) => {
      response.writeHead(400, { 'content-type': 'application/json' }).end('{"error":"invalid_grant"}');
    });
    const response = await boundedFetch(`${address}/token`, { method: 'POST', body: 'a=b' }, soon());
    expect(response.status).toBe(400);
    expect(await response.json()).toEqual({ error: 'invalid_grant' });
  });

  it('counts the bytes of a compressed answer as they unfold', async () => {
    // Made before the clock runs: on a busy machine that alone takes a second.
    const unfolds = gzipSync(Buffer.alloc(50_000_000));
    const address = await serve((_request, response) => {
      response.writeHead(200, { 'content-encoding': 'gzip' }).end(unfolds);
    });
    expect((await faultOf(boundedFetch(address, {}, soon()))).fault).toBe('invalid_answer');
  });

  it('reads a compressed answer of ordinary size', async () => {
    const address = await serve((_request, response) => {
      response.writeHead(200, { 'content-encoding': 'gzip' }).end(gzipSync('{"keys":[]}'));
    });
    expect(await (await boundedFetch(address, {}, soon())).json()).toEqual({ keys: [] });
  });

  it('ends an answer that trickles for ever', async () => {
    const address = await serve((_request, response) => {
      const trickle = setInterval(() => response.write(' '), 10);
      response.on('close', () => clearInterval(trickle));
    });
    const { fault, detail } = await faultOf(boundedFetch(address, {}, AbortSignal.timeout(150)));
    expect(fault).toBe('unavailable');
    expect(detail).toContain('no answer in time');
  });

  it('sends no secret on to where a redirect points', async () => {
    let isFollowed = false;
    const address = await serve((request, response) => {
      if (request.url === '/elsewhere') isFollowed = true;
      response.writeHead(307, { location: '/elsewhere?code=abc' }).end();
    });
    const { detail } = await faultOf(boundedFetch(`${address}/token?secret=xyz`, { method: 'POST' }, soon()));
    expect(detail).toBe(`${address}/token redirects to ${address}/elsewhere (307), which is not followed`);
    expect(isFollowed).toBe(false);
  });

  it('says how an authority of one’s own is made known, where a certificate is not trusted', async () => {
    server = createTlsServer(selfSigned(), (_request, response) => response.end('{}'));
    await new Promise<void>((resolve) => server?.listen(0, '127.0.0.1', resolve));
    const address = `https://127.0.0.1:${(server.address() as AddressInfo).port}`;
    const asked = boundedFetch(address, {}, soon());
    await expect(asked).rejects.toBeInstanceOf(UnusableAddressError);
    await expect(asked).rejects.toMatchObject({
      fault: 'unavailable',
      detail: expect.stringContaining('NODE_EXTRA_CA_CERTS'),
    });
  });

  it('speaks http to nobody but this machine', async () => {
    expect((await faultOf(boundedFetch('http://192.0.2.1/token', {}, soon()))).fault).toBe('invalid_answer');
    expect((await faultOf(boundedFetch('ftp://127.0.0.1/token', {}, soon()))).fault).toBe('invalid_answer');
    expect((await faultOf(boundedFetch('http://[::ffff:c000:201]/token', {}, soon()))).fault).toBe('invalid_answer');
  });

  it.each([
    ['another machine', ['127.0.0.1', '192.0.2.1'], /not https, and resolves to 192\.0\.2\.1/],
    ['another machine by IPv6', ['2001:db8::1'], /not https, and resolves to 2001:db8::1/],
    ['nothing', [], /ENOTFOUND/],
  ])('does not believe a resolver that says of a loopback name: %s', async (_, addresses, expected) => {
    vi.spyOn(dns, 'lookup').mockImplementation((async () => {
      if (addresses.length === 0) throw Object.assign(new Error('getaddrinfo ENOTFOUND'), { code: 'ENOTFOUND' });
      return addresses.map((address) => ({ address, family: address.includes(':') ? 6 : 4 }));
    }) as never);
    await expect(boundedFetch('http://sso.localhost:9/token', {}, soon())).rejects.toMatchObject({
      detail: expect.stringMatching(expected),
    });
  });
});
