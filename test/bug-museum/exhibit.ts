import assert from 'node:assert/strict';
import { ScriptedPerson, type VisitedPage } from '../../demo/scripted-person.ts';
import type { TestBroker, YamlChanges } from '../support/broker/test-broker.ts';
import type { DeviceAnswer, TestDevice } from '../support/broker/test-device.ts';

/** A bug that somebody else's device flow had in public, and the proof that ours has not. */
export interface Exhibit {
  peer: string;
  /** Issue, pull request or advisory; or where it was seen while reading. */
  source: string;
  /** What the peer did. */
  did: string;
  /** What holds here: the title of the test. */
  rule: string;
  yaml?: YamlChanges;
  prove(test: TestBroker): Promise<void>;
}

export const SECOND = 1000;

/** What a device heard, as one word: `200`, or the error's code. */
export const heard = ({ status, body }: DeviceAnswer): number | string => (status === 200 ? 200 : body.error);

export async function started(device: TestDevice, more: Record<string, string> = {}) {
  const { status, body, text } = await device.start(more);
  assert.equal(status, 200, text);
  return { deviceCode: body.device_code, userCode: body.user_code, body };
}

export interface AtConfirm {
  person: ScriptedPerson;
  page: VisitedPage;
}

/** Types the code and signs in: what stands before the person then is the confirm page. */
export async function toConfirm(test: TestBroker, userCode: string, person = new ScriptedPerson()): Promise<AtConfirm> {
  const form = await person.visit(`${test.origin}/device`);
  const page = await person.submit(form, formWith(form, 'user_code'), { user_code: userCode });
  return { person, page };
}

export function formWith(page: VisitedPage, field: string) {
  const form = page.forms.find(
    ({ fields, buttons }) => fields.has(field) || buttons.some(({ name }) => name === field),
  );
  assert(form, `no form with ${field} on “${page.heading}”`);
  return form;
}

export async function decideOn({ person, page }: AtConfirm, decision: string): Promise<VisitedPage> {
  return person.submit(page, formWith(page, 'decision'), { decision });
}

/** A form sent by hand: with the fields of the page, other cookies, and the headers that a foreign page would cause. */
export async function postByHand(
  { page }: AtConfirm,
  fields: Record<string, string>,
  headers: Record<string, string> = {},
): Promise<Response> {
  const form = formWith(page, 'decision');
  return fetch(form.action, {
    method: 'POST',
    redirect: 'manual',
    headers: { origin: form.action.origin, 'sec-fetch-site': 'same-origin', ...headers },
    body: new URLSearchParams({ ...Object.fromEntries(form.fields), ...fields }),
  });
}

export const ROBOT: YamlChanges = {
  clients: {
    robot: { name: 'Robot', authentication: 'client_secret', client_secret: { env: 'ROBOT_SECRET' } },
    tv: { name: 'TV' },
  },
};
export const ENVIRONMENT = {
  ROBOT_SECRET: 'robot-secret-000000000000000000000',
  SEALING_KEY: 'AAECAwQFBgcICQoLDA0ODxAREhMUFRYXGBkaGxwdHh8',
};
