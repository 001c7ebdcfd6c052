import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { decide } from '../../demo/scripted-person.ts';
import { createTestBroker, type TestBroker } from '../support/broker/test-broker.ts';
import { fetchFrom, type ProxyNginx, startProxyNginx, unusedPort } from '../support/proxy-nginx.ts';

/** Where the device and the person are, as nginx sees them. */
const DEVICE_AT = '127.0.0.9';
const PERSON_AT = '127.0.0.7';
/** What a visitor would like to be taken for. */
const WISHES = { 'x-forwarded-for': '192.0.2.66', forwarded: 'for=192.0.2.66', 'x-real-ip': '192.0.2.66' };

interface Placing {
  name: string;
  /** Of `public_url`. */
  path: string;
  header: 'x-forwarded-for' | 'forwarded';
  locations: (broker: string) => string;
}

const appended = 'proxy_set_header X-Forwarded-For $proxy_add_x_forwarded_for;';
const forwarded = 'proxy_set_header Forwarded "for=$remote_addr";';
/** RFC 8414 §3.1 looks at the origin's root for what is below a path. */
const wellKnown = (broker: string) => `location /.well-known/ { proxy_pass ${broker}; ${appended} }`;

const PLACINGS: Placing[] = [
  {
    name: 'at the root, with the visitor’s Host',
    path: '',
    header: 'x-forwarded-for',
    locations: (broker) => `location / { proxy_pass ${broker}; ${appended} proxy_set_header Host $host; }`,
  },
  {
    name: 'below a path that is stripped',
    path: '/gate/house',
    header: 'x-forwarded-for',
    locations: (broker) => `location /gate/house/ { proxy_pass ${broker}/; ${appended} } ${wellKnown(broker)}`,
  },
  {
    name: 'below a path that is passed on',
    path: '/gate/house',
    header: 'x-forwarded-for',
    locations: (broker) => `location /gate/house { proxy_pass ${broker}; ${appended} } ${wellKnown(broker)}`,
  },
  {
    name: 'with Forwarded in place of X-Forwarded-For',
    path: '/gate',
    header: 'forwarded',
    // The visitor's own X-Forwarded-For goes through, and is not read.
    locations: (broker) => `location /gate/ { proxy_pass ${broker}/; ${forwarded} } ${wellKnown(broker)}`,
  },
  {
    name: 'with X-Forwarded-For only: nginx hands a visitor’s own Forwarded through',
    path: '/gate',
    header: 'x-forwarded-for',
    locations: (broker) => `location /gate/ { proxy_pass ${broker}/; ${appended} } ${wellKnown(broker)}`,
  },
];

describe.each(PLACINGS)('behind nginx, TLS ended there on a port of its own, $name', ({ path, header, locations }) => {
  let test: TestBroker;
  let nginx: ProxyNginx;
  let publicUrl: string;
  let device: typeof fetch;
  beforeAll(async () => {
    const port = await unusedPort();
    publicUrl = `https://127.0.0.1:${port}${path}`;
    test = await createTestBroker({
      publicUrl,
      yaml: { trusted_proxies: ['127.0.0.1/32'], forwarded_header: header },
    });
    nginx = await startProxyNginx(port, locations(test.origin));
    device = fetchFrom(DEVICE_AT, nginx.certificate);
  });
  afterAll(async () => {
    await nginx.stop();
    await test.close();
  });

  async function start() {
    const response = await device(`${publicUrl}/device_authorization`, {
      method: 'POST',
      headers: WISHES,
      body: new URLSearchParams({ client_id: 'build-cli', scope: 'openid' }),
    });
    expect(response.status).toBe(200);
    return (await response.json()) as Record<string, string>;
  }

  /** The whole way of a person, and all that the browser was sent on it. */
  async function goThrough(verificationUri: string, userCode: string) {
    const seen: { url: string; headers: Headers; html: string }[] = [];
    const call = fetchFrom(PERSON_AT, nginx.certificate);
    const page = await decide(
      { verificationUri, userCode, user: 'alice' },
      {
        fetch: async (target, init = {}) => {
          const headers = { ...(init.headers as Record<string, string>), ...WISHES };
          const response = await call(target, { ...init, headers });
          seen.push({
            url: target instanceof Request ? target.url : target.toString(),
            headers: response.headers,
            html: await response.clone().text(),
          });
          return response;
        },
      },
    );
    return { page, seen, ours: seen.filter(({ url }) => url.startsWith(nginx.origin)) };
  }

  it('a device starts, a person signs in and approves, the device gets its tokens', async () => {
    const started = await start();
    expect(started['verification_uri']).toBe(`${publicUrl}/device`);
    const { page, seen, ours } = await goThrough(started['verification_uri'] ?? '', started['user_code'] ?? '');
    expect([page.status, page.url.href.split('?')[0]]).toEqual([200, `${publicUrl}/device/done`]);

    // Every link, form and redirect of ours leads to where the browser can go.
    const addresses = ours.flatMap(({ url, headers, html }) => {
      const inPage = [...html.matchAll(/(?:href|action|src)="([^"#]+)"|;\s*url=([^"]+)"/gi)].map(
        ([, one, other]) => one ?? other ?? '',
      );
      return [headers.get('location'), ...inPage]
        .filter((address): address is string => address !== null && !address.startsWith('data:'))
        .map((address) => new URL(address.replaceAll('&amp;', '&'), url).href);
    });
    const elsewhere = addresses.filter((address) => !address.startsWith(`${publicUrl}/`));
    expect(addresses.length).toBeGreaterThan(5);
    expect(elsewhere.filter((address) => !address.startsWith(test.upstream.issuer))).toEqual([]);

    // The redirect URI, as the upstream was told it.
    const atUpstream = seen
      .map(({ url }) => new URL(url).searchParams.get('redirect_uri'))
      .filter((uri) => uri !== null);
    expect(new Set(atUpstream)).toEqual(new Set([`${publicUrl}/callback/corp`]));

    const cookies = ours.flatMap(({ headers }) => headers.getSetCookie());
    expect(cookies.length).toBeGreaterThan(0);
    for (const cookie of cookies) {
      expect(cookie).toMatch(/^__Host-/);
      expect(cookie).toMatch(/; Path=\/(;|$)/i);
      expect(cookie).toMatch(/; Secure/i);
      expect(cookie).not.toMatch(/Domain=/i);
    }

    const poll = await device(`${publicUrl}/token`, {
      method: 'POST',
      body: new URLSearchParams({
        grant_type: 'urn:ietf:params:oauth:grant-type:device_code',
        client_id: 'build-cli',
        device_code: started['device_code'] ?? '',
      }),
    });
    expect(poll.status).toBe(200);
  });

  it('addresses are the real ones, whatever the visitor sends', async () => {
    const before = test.lines.length;
    const started = await start();
    const { seen } = await goThrough(started['verification_uri'] ?? '', started['user_code'] ?? '');
    const confirm = seen.find(({ html }) => html.includes('name="decision"'));
    expect(confirm?.html).toContain(DEVICE_AT);
    const lines = test.lines.slice(before);
    const sources = (event: string) => lines.filter((line) => line.event === event).map((line) => line['source']);
    expect(sources('grant.started')).toEqual([DEVICE_AT]);
    expect(sources('grant.opened')).toEqual([PERSON_AT]);
    expect(JSON.stringify(lines) + seen.map(({ html }) => html).join('')).not.toContain('192.0.2.66');
  });

  it('metadata is found in both forms, and names only what is there', async () => {
    const documents = [
      `${nginx.origin}/.well-known/oauth-authorization-server${path}`,
      `${publicUrl}/.well-known/openid-configuration`,
    ];
    for (const address of documents) {
      const response = await device(address);
      expect(response.status, address).toBe(200);
      const document = (await response.json()) as Record<string, unknown>;
      expect(document['issuer']).toBe(publicUrl);
      for (const name of Object.keys(document).filter((member) => /_endpoint$|_uri$/.test(member))) {
        expect(document[name]).toEqual(expect.stringContaining(`${publicUrl}/`));
        // There; what it says to a GET is another matter.
        expect((await device(String(document[name]))).status, name).not.toBe(404);
      }
    }
  });
});
