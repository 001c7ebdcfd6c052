import { afterEach, describe, expect, it } from 'vitest';
import { ScriptedPerson, type VisitedPage } from '../../demo/scripted-person.ts';
import { createTestBroker, type TestBroker, type TestBrokerOptions } from '../support/broker/test-broker.ts';
import type { AnswerBody } from '../support/broker/test-device.ts';
import { answer, typeCode } from '../support/browser/person-steps.ts';
import type { Behaviour } from '../support/upstream/fake-upstream-behaviour.ts';

let close: (() => Promise<void>) | undefined;
afterEach(() => close?.());

async function open(options: TestBrokerOptions = {}) {
  const test = await createTestBroker(options);
  close = () => test.close();
  const started = (await test.device().start({ scope: 'openid' })).body;
  const person = new ScriptedPerson();
  const goThere = () => typeCode(person, `${test.publicUrl}/device`, started.user_code);
  return { test, started, person, goThere };
}

async function whatTheDeviceHears(test: TestBroker, started: AnswerBody): Promise<string> {
  await test.advance(6000);
  const { body } = await test.device().poll(started.device_code);
  return body.error ?? (body.access_token === undefined ? 'nothing' : 'tokens');
}

function againLink(page: VisitedPage): URL {
  const [link] = page.links.filter(({ pathname }) => pathname.startsWith('/device'));
  if (link === undefined) throw new Error(`“${page.heading}” has no way on`);
  return link;
}

describe('an upstream in trouble', () => {
  const TROUBLES: [string, Behaviour, number[]][] = [
    ['is down', { discovery: { trouble: 'close' } }, [503]],
    ['answers discovery with 500', { discovery: { trouble: 'status_500' } }, [503]],
    ['answers discovery with a page', { discovery: { trouble: 'html' } }, [502, 503]],
    ['calls itself another issuer', { discovery: { metadata: { issuer: 'https://evil.example' } } }, [502]],
    ['sends back an error', { authorize: { error: 'server_error', description: 'its own words' } }, [503]],
    ['wants another sign-in', { authorize: { error: 'login_required', description: 'its own words' } }, [401]],
    ['refuses our registration', { authorize: { error: 'unauthorized_client', description: 'its own words' } }, [502]],
    ['sends back another state', { authorize: { state: 'x' } }, [400]],
    ['sends back no state', { authorize: { state: null } }, [400]],
    ['sends back no code', { authorize: { code: null } }, [400]],
    ['sends back another issuer', { authorize: { iss: 'https://evil.example' } }, [400]],
    ['sends back no issuer, though it said so', { authorize: { iss: null } }, [502]],
    ['fails the exchange', { token: { trouble: 'status_500' } }, [503]],
    ['sends garbage', { token: { trouble: 'garbage' } }, [502]],
    ['refuses our secret', { token: { fault: { error: 'invalid_client', status: 401 } } }, [502]],
    ['refuses the code', { token: { fault: { error: 'invalid_grant', description: 'its own words' } } }, [502]],
    ['signs with a foreign key', { idToken: { signature: 'foreign_key' } }, [502]],
    ['does not sign', { idToken: { signature: 'none' } }, [502]],
    ['speaks of another nonce', { idToken: { claims: { nonce: 'x' } } }, [502]],
    ['names nobody', { idToken: { claims: { sub: null } } }, [502]],
  ];

  it.each(TROUBLES)(
    'that %s: our own page, the code stays good, and it goes on when the trouble is over',
    async (_, behaviour, statuses) => {
      const { test, started, person, goThere } = await open();
      test.upstream.behaviour = behaviour;
      const problem = await goThere();
      expect(statuses).toContain(problem.status);
      expect(problem.html).not.toMatch(/its own words|evil\.example/);
      expect(problem.html).toMatch(/still works|Try again/);
      expect(await whatTheDeviceHears(test, started)).toBe('authorization_pending');

      test.upstream.behaviour = {};
      const link = againLink(problem);
      const isForm = link.pathname === '/device';
      const confirm = isForm ? await goThere() : await person.visit(link, problem);
      expect(confirm.heading).toBe('Let this device act as you?');
      await answer(person, confirm, 'approve');
      expect(await whatTheDeviceHears(test, started)).toBe('tokens');
    },
  );

  it('that denies: the person and the device are told, and the log says that nobody signed in', async () => {
    const { test, started, goThere } = await open();
    test.upstream.behaviour = { authorize: { error: 'access_denied', description: 'its own words' } };
    const done = await goThere();
    expect(done).toMatchObject({ status: 200, heading: 'Denied' });
    expect(done.html).not.toContain('its own words');
    expect(await whatTheDeviceHears(test, started)).toBe('access_denied');
    expect(test.lines.find(({ event }) => event === 'grant.denied')).toMatchObject({
      by: 'upstream',
      reason: 'unauthenticated',
      client: 'build-cli',
    });
  });

  it('that sends the person over a third origin is followed', async () => {
    const { test, started, person, goThere } = await open();
    test.upstream.behaviour = { authorize: { overThirdOrigin: true } };
    await answer(person, await goThere(), 'approve');
    expect(await whatTheDeviceHears(test, started)).toBe('tokens');
  });

  it('keeps no token of somebody who denies', async () => {
    const { test, person, goThere } = await open();
    await answer(person, await goThere(), 'deny');
    await expect.poll(() => test.upstream.revoked.length).toBe(1);
  });

  it('is not asked again for what was refused: tokens of an account that may not approve are revoked', async () => {
    const { test, started, person, goThere } = await open({
      yaml: { clients: { 'build-cli': { approvers: { subjects: ['rita'] } } } },
    });
    const refused = await goThere();
    expect(refused).toMatchObject({ status: 403, heading: 'This account can’t approve this' });
    await expect.poll(() => test.upstream.revoked.length).toBe(2);
    test.upstream.person = { sub: 'rita', email: 'rita@example.com' };
    const confirm = await answer(person, refused, 'other_account');
    const { query } = test.upstream.requestsTo('/authorize').at(-1) ?? {};
    expect(query?.get('prompt')).toBe('login');
    await answer(person, confirm, 'approve');
    expect(await whatTheDeviceHears(test, started)).toBe('tokens');
  });
});

describe('what the log has of a sign-in', () => {
  it('is one story by the grant’s tag, and no code, token or cookie', async () => {
    const { test, started, person, goThere } = await open();
    await answer(person, await goThere(), 'approve');
    await whatTheDeviceHears(test, started);
    const story = [
      'grant.started',
      'grant.opened',
      'sign_in.started',
      'sign_in.finished',
      'grant.approved',
      'grant.redeemed',
    ];
    const lines = test.lines.filter(({ event }) => story.includes(event));
    expect(lines.map(({ event }) => event)).toEqual(story);
    expect(new Set(lines.map(({ grant }) => grant)).size).toBe(1);
    const log = JSON.stringify(test.lines);
    for (const secret of [started.user_code, started.user_code.replace('-', ''), started.device_code]) {
      expect(log).not.toContain(secret);
    }
  });
});
