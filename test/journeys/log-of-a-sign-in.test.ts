import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { ScriptedPerson } from '../../demo/scripted-person.ts';
import { createTestBroker, type LoggedLine, type TestBroker } from '../support/broker/test-broker.ts';

const SCOPE = 'openid offline_access';
let test: TestBroker;

/** One sign-in by the pages, with all that can come after it. */
beforeAll(async () => {
  test = await createTestBroker();
  const device = test.device();
  const { body } = await device.start({ scope: SCOPE });
  await test.approveInBrowser(body.user_code);
  const tokens = await device.poll(body.device_code);
  await device.refresh(tokens.body.refresh_token);
  // The code once more: it is used by now, and so a wrong one.
  const person = new ScriptedPerson();
  const form = await person.visit(`${test.origin}/device`);
  const [first] = form.forms.filter(({ fields }) => fields.has('user_code'));
  if (first !== undefined) await person.submit(form, first, { user_code: body.user_code });
  await test.advance(60_000);
  await device.poll(body.device_code);
});
afterAll(() => test.close());

function lineOf(event: string): LoggedLine {
  const line = test.lines.find((each) => each.event === event);
  if (line === undefined) throw new Error(`no ${event}; there is: ${test.lines.map((each) => each.event).join(', ')}`);
  return line;
}

describe('the lines of one sign-in', () => {
  it('have one tag of the code, whoever types it and whether it is right', () => {
    const { code } = lineOf('grant.started');
    expect(code).toMatch(/^[\w-]{8}$/);
    expect([lineOf('grant.opened')['code'], lineOf('code.wrong')['code']]).toEqual([code, code]);
  });

  it('have scopes as a list', () => {
    for (const event of ['grant.started', 'grant.approved', 'grant.redeemed', 'session.refreshed']) {
      expect([event, lineOf(event)['scopes']]).toEqual([event, SCOPE.split(' ')]);
    }
  });

  it('say who it was, from the sign-in on', () => {
    for (const event of ['sign_in.finished', 'grant.approved', 'grant.redeemed', 'session.refreshed']) {
      expect(lineOf(event)).toMatchObject({ client: 'build-cli', upstream: 'corp', subject: expect.any(String) });
    }
  });

  it('say which request it was and where it came from', () => {
    const events = ['grant.started', 'grant.opened', 'sign_in.started', 'sign_in.finished', 'grant.approved'];
    for (const event of [...events, 'grant.redeemed', 'grant.replayed', 'session.ended']) {
      expect(lineOf(event)).toMatchObject({ requestId: expect.stringMatching(/^\w{12}$/), source: '127.0.0.1' });
    }
  });

  it('have one tag of the grant, also of what became of it', () => {
    const { grant } = lineOf('grant.started');
    for (const event of ['grant.opened', 'grant.approved', 'grant.redeemed', 'session.refreshed', 'session.ended']) {
      expect([event, lineOf(event)['grant']]).toEqual([event, grant]);
    }
  });

  it('warn where a code is used once more', () => {
    expect(lineOf('session.ended')).toMatchObject({ level: 'warn', by: 'replay' });
  });

  it('warn where a refresh token is used once more, and say from where', async () => {
    const device = test.device();
    const { refresh_token: first } = await test.signIn(device);
    const { body } = await device.refresh(first);
    await device.refresh(body.refresh_token);
    expect((await device.refresh(first)).body.error).toBe('invalid_grant');
    expect(test.lines.findLast(({ event }) => event === 'session.ended')).toMatchObject({
      ...{ level: 'warn', by: 'reuse', source: '127.0.0.1' },
      ...{ client: 'build-cli', upstream: 'corp', subject: 'alice', grant: expect.stringMatching(/^[\w-]{8}$/) },
    });
  });
});
