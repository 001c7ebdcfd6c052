import { createRemoteJWKSet, jwtVerify } from 'jose';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { ScriptedPerson } from '../../demo/scripted-person.ts';
import { redisForTests } from '../support/redis/redis.ts';
import { movableMemory, movableRedis } from '../support/redis/storage-under-test.ts';
import { formIndex, openRealSignIn, person, type RealSignIn, walk } from '../support/upstream/real-sign-in.ts';

let redis: Awaited<ReturnType<typeof redisForTests>>;
beforeAll(async () => {
  redis = await redisForTests();
});
afterAll(() => redis.stop());

const drivers = [
  ['memory', movableMemory],
  ['Redis', () => movableRedis(redis.settings())],
] as const;

describe.each(drivers)(
  'openid-client as the device, oidc-provider as the upstream, %s',
  { timeout: 60_000 },
  (_driver, openStore) => {
    let real: RealSignIn;
    beforeAll(async () => {
      real = await openRealSignIn({
        store: await openStore(),
        upstreams: { corp: 'running', labs: 'running' },
        yaml: {
          limits: { approvals_per_subject: 0 },
          clients: {
            'build-cli': {
              name: 'Build CLI',
              interval: '1s',
              upstreams: ['corp'],
              claims: ['name', 'email', 'groups'],
            },
            short: { name: 'Short', interval: '1s', upstreams: ['corp'], lifetimes: { code: '60s' } },
            picky: { name: 'Picky', interval: '1s', upstreams: ['corp'], approvers: { groups: ['engineering'] } },
            relay: { name: 'Relay', interval: '1s', upstreams: ['corp'], tokens: 'relay' },
            both: { name: 'Both', interval: '1s', upstreams: ['corp', 'labs'] },
          },
        },
      });
    });
    afterAll(async () => {
      await real.close();
      await real.test.store.close();
    });

    it('a whole sign-in: tokens that verify, with the claims that were configured', async () => {
      const device = await real.device();
      const started = await device.start();
      const [tokens, page] = await Promise.all([
        device.finish(started),
        walk(started.verification_uri, person(started.user_code)),
      ]);
      expect(page.status).toBe(200);
      const { publicUrl } = real.test;
      const keys = createRemoteJWKSet(new URL(`${publicUrl}/jwks`));
      const access = await jwtVerify(tokens.access_token, keys, {
        issuer: publicUrl,
        typ: 'at+jwt',
        audience: publicUrl,
      });
      const expected = { sub: 'corp|alice', name: 'Alice Adams', email: 'alice@example.com' };
      expect(access.payload).toMatchObject({ ...expected, client_id: 'build-cli', groups: ['engineering', 'on-call'] });
      expect(tokens.claims()).toMatchObject({ ...expected, aud: 'build-cli' });
      expect(tokens.refresh_token).toEqual(expect.any(String));
    });

    it('the person denies: openid-client is told access_denied', async () => {
      const device = await real.device();
      const started = await device.start();
      const finished = device.finish(started).catch((error: unknown) => error);
      const page = await walk(started.verification_uri, person(started.user_code, { confirm: 'deny' }));
      expect([page.status, page.url.pathname]).toEqual([200, '/device/done']);
      expect(await finished).toMatchObject({ error: 'access_denied' });
    });

    it('the person says no at the upstream: the grant is denied, and the page says so', async () => {
      const device = await real.device();
      const started = await device.start();
      const page = await walk(started.verification_uri, person(started.user_code, { upstream: { decision: 'deny' } }));
      expect(page.status).toBeLessThan(500);
      await expect(device.finish(started)).rejects.toMatchObject({ error: 'access_denied' });
    });

    it('the code runs out during the sign-in: nothing is connected, the page says so, the device is told', async () => {
      const device = await real.device('short');
      const started = await device.start();
      const visitor = new ScriptedPerson();
      const warned = await walk(
        started.verification_uri,
        (page) => (formIndex(page, 'user_code') < 0 ? undefined : person(started.user_code)(page)),
        visitor,
      );
      // There is little time left, so the page says it and waits to be read.
      const onward = warned.links.find(({ search }) => search.includes('upstream='));
      if (onward === undefined) throw new Error(warned.heading);
      const upstreamPage = await visitor.visit(onward, warned);
      await real.test.advance(61_000);
      const form = upstreamPage.forms[formIndex(upstreamPage, 'user', 'alice')];
      if (form === undefined) throw new Error(upstreamPage.heading);
      const page = await visitor.submit(upstreamPage, form, { user: 'alice' });
      expect(page.status).toBe(400);
      expect(page.html).toMatch(/has expired/i);
      await expect(device.finish(started)).rejects.toMatchObject({ error: 'expired_token' });
    });

    it('an account that may not approve is told so; another one may, and the device gets that one’s tokens', async () => {
      const device = await real.device('picky');
      const started = await device.start();
      const visitor = new ScriptedPerson();
      const refused = await walk(
        started.verification_uri,
        person(started.user_code, { upstream: { user: 'bob' } }),
        visitor,
      );
      expect(refused.status).toBe(403);
      const other = refused.forms[formIndex(refused, 'decision', 'other_account')];
      if (other === undefined) throw new Error(refused.heading);
      let page = await visitor.submit(refused, other, { decision: 'other_account' });
      for (let step = 0; step < 4; step += 1) {
        const next = person(started.user_code)(page);
        const form = page.forms[next?.form ?? -1];
        if (next === undefined || form === undefined) break;
        page = await visitor.submit(page, form, next.filled);
      }
      expect(page.status).toBe(200);
      expect((await device.finish(started)).claims()?.sub).toBe('corp|alice');
    });

    it('relay: the device gets the upstream’s own access token, which works there', async () => {
      const device = await real.device('relay');
      const started = await device.start({ scope: 'openid email' });
      await walk(started.verification_uri, person(started.user_code));
      const tokens = await device.finish(started);
      const issuer = real.test.broker.processContext && (await upstreamIssuer(real));
      const userinfo = await fetch(`${issuer}/me`, { headers: { authorization: `Bearer ${tokens.access_token}` } });
      expect(await userinfo.json()).toMatchObject({ sub: 'alice', email: 'alice@example.com' });
      expect(tokens.expires_in).toBeLessThanOrEqual(600);
      expect(tokens.claims()).toMatchObject({ aud: 'relay', iss: real.test.publicUrl });
    });

    it('two upstreams: the person chooses, and the subject says which', async () => {
      const device = await real.device('both');
      const started = await device.start();
      const page = await walk(started.verification_uri, (at) => {
        const labs = at.links.findIndex(({ search }) => search.includes('upstream=labs'));
        return labs >= 0 ? { link: labs } : person(started.user_code, { upstream: { user: 'bob' } })(at);
      });
      expect(page.status).toBe(200);
      expect((await device.finish(started)).claims()?.sub).toBe('labs|bob');
    });
  },
);

async function upstreamIssuer(real: RealSignIn): Promise<string> {
  const { body } = await real.test.device({ clientId: 'relay' }).start({ scope: 'openid' });
  const page = await walk(`${real.test.publicUrl}/device`, (at) =>
    formIndex(at, 'user_code') < 0 ? undefined : person(body.user_code)(at),
  );
  return page.url.origin;
}

describe('an upstream that is down', () => {
  it('does not keep the broker from starting nor from serving devices; the person is told; later it works', async () => {
    const real = await openRealSignIn({ upstreams: { corp: 'down' } });
    const device = await real.device();
    const started = await device.start();
    expect((await real.test.device().poll(started.device_code)).body.error).toBe('authorization_pending');
    const away = await walk(started.verification_uri, person(started.user_code));
    expect(away.status).toBe(503);
    expect((await real.test.device().poll(started.device_code)).body.error).toBe('authorization_pending');
    await real.startUpstream('corp');
    const page = await walk(started.verification_uri, person(started.user_code));
    expect(page.status).toBe(200);
    expect((await device.finish(started)).claims()?.sub).toBe('corp|alice');
    await real.close();
  });
});
