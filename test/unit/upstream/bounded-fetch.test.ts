import { createServer, type RequestListener, type Server, type ServerResponse } from 'node:http';
import { createServer as createTlsServer } from 'node:https';
import type { AddressInfo, LookupFunction } from 'node:net';
import { gzipSync } from 'node:zlib';
import { afterEach, describe, expect, it } from 'vitest';
import { createBoundedFetch } from '../../../src/upstream/requests/bounded-fetch.ts';
import { UnusableAddressError } from '../../../src/upstream/requests/request-failure.ts';
import type { Reach } from '../../../src/upstream/upstream-settings.ts';
import { selfSigned } from '../../support/samples/self-signed.ts';
import { REACH } from '../../support/upstream/fake-upstream.ts';
import { faultOf } from '../../support/upstream/upstream-trip.ts';

let server: Server | undefined;
afterEach(() => {
  server?.closeAllConnections();
  server?.close();
});

async function serve(listener: RequestListener): Promise<string> {
  server = createServer(listener);
  await new Promise<void>((resolve) => server?.listen(0, '127.0.0.1', resolve));
  return `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
}

const soon = () => AbortSignal.timeout(1000);

/** The way out to an upstream whose issuer is on loopback, unless said otherwise. */
const way = (reach: Partial<Reach> = {}, issuer = 'http://127.0.0.1', lookup?: LookupFunction) =>
  createBoundedFetch({ issuer, reach: { ...REACH, ...reach } }, lookup);
const boundedFetch = way();

describe('the way out to an upstream', () => {
  it('hands on answers of the protocol, errors included', async () => {
    const address = await serve((_request, response) => {
      response.writeHead(400, { 'content-type': 'application/json' }).end('{"error":"invalid_grant"}');
    });
    const response = await boundedFetch(`${address}/token`, { method: 'POST', body: 'a=b' }, soon());
    expect(response.status).toBe(400);
    expect(await response.json()).toEqual({ error: 'invalid_grant' });
  });

  it('asks over connections that stand already', async () => {
    const ports = new Set<number | undefined>();
    const address = await serve((request, response) => {
      ports.add(request.socket.remotePort);
      response.end('{}');
    });
    for (let turn = 0; turn < 6; turn += 1) {
      await boundedFetch(`${address}/token`, { method: 'POST', body: '' }, soon());
    }
    // The second may be begun before the first has seen the end of its answer.
    expect(ports.size).toBeLessThan(3);
  });

  it('counts the bytes of a compressed answer as they unfold', async () => {
    // Made before the clock runs: on a busy machine that alone takes a second.
    const unfolds = gzipSync(Buffer.alloc(50_000_000));
    const address = await serve((_request, response) => {
      response.writeHead(200, { 'content-encoding': 'gzip' }).end(unfolds);
    });
    const { fault, detail } = await faultOf(boundedFetch(address, {}, soon()));
    expect(fault).toBe('invalid_answer');
    expect(detail).toContain('more than 1048576 bytes');
  });

  it.each(['gzip', 'GZIP', 'x-gzip'])('reads a compressed answer of ordinary size (%s)', async (encoding) => {
    const address = await serve((_request, response) => {
      response.writeHead(200, { 'content-encoding': encoding }).end(gzipSync('{"keys":[]}'));
    });
    expect(await (await boundedFetch(address, {}, soon())).json()).toEqual({ keys: [] });
  });

  it('does not read what only claims to be compressed', async () => {
    const address = await serve((_request, response) => {
      response.writeHead(200, { 'content-encoding': 'gzip' }).end('{"keys":[]}');
    });
    expect((await faultOf(boundedFetch(address, {}, soon()))).detail).toContain('cannot be decompressed');
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

  it('ends at the deadline also where a connection is still being made', async () => {
    const silent: LookupFunction = () => undefined;
    const asked = way({}, 'http://sso.localhost:9', silent)('http://sso.localhost:9/', {}, AbortSignal.timeout(100));
    const { fault, detail } = await faultOf(asked);
    expect([fault, detail]).toEqual(['unavailable', expect.stringContaining('no answer in time')]);
  });

  it('asks nothing where the deadline has passed already', async () => {
    let isAsked = false;
    const address = await serve((_request, response) => {
      isAsked = true;
      response.end('{}');
    });
    const over = AbortSignal.abort(new DOMException('no answer in time', 'TimeoutError'));
    expect((await faultOf(boundedFetch(address, {}, over))).detail).toContain('no answer in time');
    expect(isAsked).toBe(false);
  });

  it.each<[string, (response: ServerResponse) => void]>([
    [
      'closes at the deadline what still trickles',
      (response) => void setInterval(() => response.write(' '), 10).unref(),
    ],
    [
      'closes what is too large before it has all been sent',
      (response) => {
        const more = () => {
          while (!response.destroyed && response.write('x'.repeat(65_536))) {
            // As much as the connection takes.
          }
        };
        response.on('drain', more);
        more();
      },
    ],
  ])('%s', async (_, answer) => {
    let whenClosed: Promise<void> | undefined;
    const address = await serve((_request, response) => {
      whenClosed = new Promise((resolve) => response.on('close', resolve));
      answer(response);
    });
    await faultOf(boundedFetch(address, {}, AbortSignal.timeout(300)));
    await whenClosed;
  });

  it('reads the answer behind an early one', async () => {
    const address = await serve((_request, response) => {
      response.writeEarlyHints({ link: '</style.css>; rel=preload' });
      response.writeHead(200, { 'content-type': 'application/json' }).end('{"a":1}');
    });
    const response = await boundedFetch(address, {}, soon());
    expect([response.status, await response.json()]).toEqual([200, { a: 1 }]);
  });

  it('puts the pieces of an answer together in their order', async () => {
    const address = await serve((_request, response) => {
      const bytes = Buffer.from('{"name":"Zoë 漢"}');
      // Torn in the middle of a character.
      response.write(bytes.subarray(0, 12));
      setImmediate(() => response.end(bytes.subarray(12)));
    });
    expect(await (await boundedFetch(address, {}, soon())).json()).toEqual({ name: 'Zoë 漢' });
  });

  it.each<[string, RequestListener]>([
    ['in its head', (request) => request.socket.destroy()],
    [
      'in its body',
      (_request, response) => {
        response.writeHead(200, { 'content-length': 1000 }).write('{"a":');
        setImmediate(() => response.destroy());
      },
    ],
    [
      'in a chunk',
      (_request, response) => {
        response.write('{"a":');
        setImmediate(() => response.destroy());
      },
    ],
  ])('is away where an answer breaks off %s', async (_, listener) => {
    const { fault } = await faultOf(boundedFetch(await serve(listener), {}, soon()));
    expect(fault).toBe('unavailable');
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
    const { asked } = await askOverTls();
    await expect(asked).rejects.toBeInstanceOf(UnusableAddressError);
    await expect(asked).rejects.toMatchObject({
      fault: 'unavailable',
      detail: expect.stringMatching(/this upstream’s ca, or in NODE_EXTRA_CA_CERTS/),
    });
  });

  it('trusts the authority that the settings name, and no other then', async () => {
    const mine = selfSigned();
    expect((await (await askOverTls(mine, mine.cert)).asked).status).toBe(200);
    server?.close();
    const { asked } = await askOverTls(selfSigned(), mine.cert);
    await expect(asked).rejects.toBeInstanceOf(UnusableAddressError);
  });

  it('trusts each of several authorities', async () => {
    const mine = selfSigned();
    const bundle = `${selfSigned('another authority').cert}\n${mine.cert}`;
    expect((await (await askOverTls(mine, bundle)).asked).status).toBe(200);
  });

  it('speaks http to nobody but this machine', async () => {
    expect((await faultOf(boundedFetch('http://192.0.2.1/token', {}, soon()))).fault).toBe('invalid_answer');
    expect((await faultOf(boundedFetch('ftp://127.0.0.1/token', {}, soon()))).fault).toBe('invalid_answer');
    expect((await faultOf(boundedFetch('http://[::ffff:c000:201]/token', {}, soon()))).fault).toBe('invalid_answer');
  });

  it.each([
    ['another machine', ['127.0.0.1', '192.0.2.1'], /not asked over https, and resolves to 192\.0\.2\.1/],
    ['another machine by IPv6', ['2001:db8::1'], /not asked over https, and resolves to 2001:db8::1/],
  ])('does not believe a resolver that says of a loopback name: %s', async (_, addresses, expected) => {
    const { lookup } = leadingTo(addresses);
    const asked = way({}, 'http://sso.localhost:9', lookup)('http://sso.localhost:9/token', {}, soon());
    await expect(asked).rejects.toMatchObject({ detail: expect.stringMatching(expected) });
  });

  it('says that a name leads nowhere', async () => {
    const lookup: LookupFunction = (_hostname, _options, callback) =>
      callback(Object.assign(new Error('getaddrinfo ENOTFOUND'), { code: 'ENOTFOUND' }), '');
    const asked = way({}, 'http://sso.localhost:9', lookup)('http://sso.localhost:9/token', {}, soon());
    await expect(asked).rejects.toMatchObject({ detail: expect.stringMatching(/ENOTFOUND/) });
  });
});

/** Looks every name up as these addresses, one set a call. */
function leadingTo(...turns: string[][]): { lookup: LookupFunction; asked: string[] } {
  const asked: string[] = [];
  const lookup: LookupFunction = (hostname, _options, callback) => {
    asked.push(hostname);
    const addresses = turns.shift() ?? [];
    callback(
      null,
      addresses.map((address) => ({ address, family: address.includes(':') ? 6 : 4 })),
    );
  };
  return { lookup, asked };
}

async function askOverTls(certified = selfSigned(), ca?: string) {
  server = createTlsServer(certified, (_request, response) => response.end('{}'));
  await new Promise<void>((resolve) => server?.listen(0, '127.0.0.1', resolve));
  const address = `https://127.0.0.1:${(server.address() as AddressInfo).port}`;
  return { asked: way(ca === undefined ? {} : { ca })(address, {}, soon()) };
}

describe('with allow_private_addresses: false', () => {
  const SOMEWHERE = 'https://sso.example.com';
  const strict = (lookup?: LookupFunction) => way({ allowsPrivateAddresses: false }, SOMEWHERE, lookup);

  it('a name that the system knows as private is refused when it was looked up', async () => {
    const fetching = way({ allowsPrivateAddresses: false }, 'https://localhost')('https://localhost:1/', {}, soon());
    expect((await faultOf(fetching)).detail).toContain('private address');
  });

  it.each([
    ['IPv4', ['10.0.0.7']],
    ['IPv6', ['fd00::7']],
    ['one of several', ['198.41.0.4', '192.168.1.1']],
    ['IPv4 in the form of IPv6', ['::ffff:169.254.169.254']],
  ])('a name that leads to a private address is not called: %s', async (_, addresses) => {
    const { lookup } = leadingTo(addresses);
    const { detail } = await faultOf(strict(lookup)('https://rebind.example/keys', {}, soon()));
    expect(detail).toMatch(/rebind\.example.*is a private address, which allow_private_addresses: false refuses/);
  });

  it('a name that is rebound between two requests is judged at each connection', async () => {
    // Neither is public, so that the test leaves this machine in no case; each connection asks anew.
    const { lookup, asked } = leadingTo(['192.0.2.0'], ['127.0.0.1']);
    const fetching = createBoundedFetch(
      { issuer: SOMEWHERE, reach: { ...REACH, allowsPrivateAddresses: false } },
      lookup,
    );
    for (let turn = 0; turn < 2; turn += 1) {
      expect((await faultOf(fetching('https://rebind.example/keys', {}, soon()))).detail).toContain('private address');
    }
    expect(asked).toEqual(['rebind.example', 'rebind.example']);
  });

  it.each(['https://10.0.0.7/keys', 'https://[fd00::7]/keys', 'https://[::ffff:10.0.0.7]/keys', 'https://0x0a000007/'])(
    'an address in the place of a name is refused too, though nobody looks it up: %s',
    async (address) => {
      const { lookup, asked } = leadingTo();
      expect((await faultOf(strict(lookup)(address, {}, soon()))).detail).toContain('private address');
      expect(asked).toEqual([]);
    },
  );

  it('and with true it is called', async () => {
    const address = await serve((_request, response) => response.end('{}'));
    expect((await boundedFetch(address, {}, soon())).status).toBe(200);
  });
});
