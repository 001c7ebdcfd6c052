import { expect, it, onTestFinished } from 'vitest';
import { ScriptedPerson } from '../../demo/scripted-person.ts';
import { createTestBroker } from '../support/broker/test-broker.ts';
import { answer, typeCode } from '../support/browser/person-steps.ts';

const BY_FORM = { upstreams: { corp: { response_mode: 'form_post' } } };

async function atUpstream(yaml = {}) {
  const test = await createTestBroker({ yaml });
  onTestFinished(() => test.close());
  test.upstream.behaviour = { authorize: { insistsOnFormPost: true } };
  const device = test.device();
  const { body } = await device.start();
  const person = new ScriptedPerson();
  const page = await typeCode(person, `${test.publicUrl}/device`, body.user_code);
  return { test, person, page, poll: () => device.poll(body.device_code) };
}

it('an upstream that answers by a form only signs people in', async () => {
  const { test, person, page, poll } = await atUpstream(BY_FORM);
  expect(test.upstream.requestsTo('/authorize').map(({ query }) => query.get('response_mode'))).toEqual(['form_post']);
  const [form] = page.forms;
  if (form === undefined) throw new Error(`no form: ${page.html}`);
  expect(form.action.href).toBe(`${test.publicUrl}/callback/corp`);
  const confirm = await person.submit(page, form);
  expect(confirm.heading).toBe('Let this device act as you?');
  expect((await answer(person, confirm, 'approve')).heading).toBe('Approved');
  expect((await poll()).status).toBe(200);
  expect(JSON.stringify(test.lines)).not.toContain(form.fields.get('code'));
});

it('without response_mode it does not, and is not asked by name for what is usual', async () => {
  const { test, page } = await atUpstream();
  expect(page).toMatchObject({ status: 400, heading: 'response_mode must be form_post' });
  expect(test.upstream.requestsTo('/authorize').map(({ query }) => query.get('response_mode'))).toEqual([null]);
});

it('a reload of the configuration opens and shuts the door', async () => {
  const { test } = await atUpstream();
  const post = async () => {
    const form = { method: 'POST', body: new URLSearchParams({ code: 'a', state: 'b' }), redirect: 'manual' } as const;
    return (await fetch(`${test.publicUrl}/callback/corp`, form)).status;
  };
  expect(await post()).toBe(405);
  test.reload(BY_FORM);
  expect(await post()).toBe(303);
  test.reload({});
  expect(await post()).toBe(405);
});
