import { decodeJwt } from 'jose';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { decide } from '../../demo/scripted-person.ts';
import { createTestBroker, type TestBroker } from '../support/broker/test-broker.ts';
import { fetchFrom, type ProxyNginx, startProxyNginx, unusedPort } from '../support/proxy-nginx.ts';

const DEVICE_AT = '127.0.0.9';
const PERSON_AT = '127.0.0.7';
const appended = 'proxy_set_header X-Forwarded-For $proxy_add_x_forwarded_for;';

describe('behind nginx, with a path profile beside a public_url that is below a path', () => {
  let test: TestBroker;
  let nginx: ProxyNginx;
  let realm: string;
  beforeAll(async () => {
    const port = await unusedPort();
    realm = `https://127.0.0.1:${port}/auth/realms/corp`;
    test = await createTestBroker({
      publicUrl: `https://127.0.0.1:${port}/gate/house`,
      yaml: { trusted_proxies: ['127.0.0.1/32'], compatibility: { keycloak: { realm: 'corp', prefix: '/auth' } } },
    });
    const stripped = `location /gate/house/ { proxy_pass ${test.origin}/; ${appended} }`;
    const passedOn = `location /auth/realms/ { proxy_pass ${test.origin}; ${appended} }`;
    nginx = await startProxyNginx(port, `${stripped} ${passedOn}`);
  });
  afterAll(async () => {
    await nginx.stop();
    await test.close();
  });

  it('the profile is an issuer at the root of the origin, and its devices sign in below the path', async () => {
    const device = fetchFrom(DEVICE_AT, nginx.certificate);
    const post = async (address: string, form: Record<string, string>) =>
      (await (await device(address, { method: 'POST', body: new URLSearchParams(form) })).json()) as Record<
        string,
        string
      >;
    const document = (await (await device(`${realm}/.well-known/openid-configuration`)).json()) as Record<
      string,
      string
    >;
    expect(document['issuer']).toBe(realm);
    const started = await post(document['device_authorization_endpoint'] ?? '', {
      client_id: 'build-cli',
      scope: 'openid',
    });
    expect(started['verification_uri']).toBe(`${nginx.origin}/gate/house/device`);

    const person = fetchFrom(PERSON_AT, nginx.certificate);
    const visit = {
      verificationUri: `${realm}/device`,
      userCode: started['user_code'] ?? '',
      user: 'alice',
    };
    const page = await decide(visit, { fetch: person });
    expect([page.status, page.url.href.split('?')[0]]).toEqual([200, `${nginx.origin}/gate/house/device/done`]);

    const tokens = await post(document['token_endpoint'] ?? '', {
      grant_type: 'urn:ietf:params:oauth:grant-type:device_code',
      client_id: 'build-cli',
      device_code: started['device_code'] ?? '',
    });
    expect(decodeJwt(tokens['access_token'] ?? '').iss).toBe(realm);
  });
});
