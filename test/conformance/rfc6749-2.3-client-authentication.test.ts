import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { asItIs, basic, DEVICE_CLIENTS, DEVICE_SECRETS, ROBOT_SECRET } from '../support/broker/device-clients.ts';
import { createTestBroker, type TestBroker } from '../support/broker/test-broker.ts';
import { DEVICE_CODE_GRANT } from '../support/broker/test-device.ts';

const FORM = 'application/x-www-form-urlencoded';
const BROKEN = `Basic ${Buffer.from('no colon here').toString('base64')}`;

describe('RFC 6749 §2.3, client authentication at the device door', () => {
  let test: TestBroker;
  beforeAll(async () => {
    test = await createTestBroker({ yaml: DEVICE_CLIENTS, environment: DEVICE_SECRETS });
  });
  afterAll(() => test.close());

  const endpoints = {
    '/device_authorization': {},
    '/token': { grant_type: DEVICE_CODE_GRANT, device_code: 'never-issued' },
  };
  const passed = { '/device_authorization': '200', '/token': '400 invalid_grant' };
  type Path = keyof typeof endpoints;

  async function ask(path: Path, parameters: Record<string, string>, authorization?: string) {
    const body = new URLSearchParams({ ...endpoints[path], ...parameters });
    const headers = { 'content-type': FORM, ...(authorization !== undefined && { authorization }) };
    const answer = await test.device().send(path, { method: 'POST', headers, body: body.toString() });
    const outcome = answer.status === 200 ? '200' : `${answer.status} ${answer.body.error}`;
    return { ...answer, outcome, isIn: outcome === passed[path] };
  }

  describe.each(Object.keys(endpoints) as Path[])('%s', (path) => {
    it.each<[string, Record<string, string>, string | undefined]>([
      ['a public client, by its id', { client_id: 'tv' }, undefined],
      ['a public client, by Basic with an empty password', {}, basic('tv', '')],
      ['a public client, by both', { client_id: 'tv' }, basic('tv', '')],
      ['a public client with an empty secret', { client_id: 'tv', client_secret: '' }, undefined],
      ['a public client whose id has signs, form-encoded', {}, basic('web/app+1', '')],
      ['a public client whose id has signs, raw', {}, basic('web/app+1', '', asItIs)],
      ['a secret in the body', { client_id: 'robot', client_secret: ROBOT_SECRET }, undefined],
      ['a secret by Basic, form-encoded as the RFC has it', {}, basic('robot', ROBOT_SECRET)],
      ['a secret by Basic, percent-encoded', {}, basic('robot', ROBOT_SECRET, encodeURIComponent)],
      ['a secret by Basic, raw as many send it', {}, basic('robot', ROBOT_SECRET, asItIs)],
      ['a secret by Basic, with its client_id beside', { client_id: 'robot' }, basic('robot', ROBOT_SECRET)],
      ['the scheme in another case', {}, basic('robot', ROBOT_SECRET).replace('Basic', 'bAsIc')],
      ['a pinned method: client_secret_basic', {}, basic('basic-robot', DEVICE_SECRETS.BASIC_SECRET)],
      [
        'a pinned method: client_secret_post',
        { client_id: 'post-robot', client_secret: DEVICE_SECRETS.POST_SECRET },
        undefined,
      ],
      ['another scheme, which says nothing of clients', { client_id: 'tv' }, 'Bearer something'],
    ])('takes %s', async (_how, parameters, authorization) => {
      const { isIn, outcome } = await ask(path, parameters, authorization);
      expect([isIn, outcome]).toEqual([true, passed[path]]);
    });

    it.each<[string, Record<string, string>, string | undefined]>([
      ['an unknown client', { client_id: 'nobody' }, undefined],
      ['a client with a secret, by its id alone', { client_id: 'robot' }, undefined],
      ['a client with a secret, with an empty one', { client_id: 'robot', client_secret: '' }, undefined],
      ['an unknown client by Basic', {}, basic('nobody', 'x')],
      ['an unknown client with an empty password', {}, basic('nobody', '')],
      ['a wrong secret', { client_id: 'robot', client_secret: 'wrong' }, undefined],
      ['a wrong secret by Basic', {}, basic('robot', 'wrong')],
      ['a secret that was cut off', {}, basic('robot', ROBOT_SECRET.slice(0, -1))],
      ['a secret for a public client', { client_id: 'tv', client_secret: 'x' }, undefined],
      ['a password for a public client', {}, basic('tv', 'x')],
      ['Basic where the client is pinned to the body', {}, basic('post-robot', DEVICE_SECRETS.POST_SECRET)],
      [
        'the body where the client is pinned to Basic',
        { client_id: 'basic-robot', client_secret: DEVICE_SECRETS.BASIC_SECRET },
        undefined,
      ],
      ['Basic without a colon', {}, BROKEN],
      ['Basic without a user', {}, basic('', ROBOT_SECRET)],
      ['Basic that is no Base64', {}, 'Basic ***'],
      ['an empty Basic', {}, 'Basic '],
    ])('refuses %s with 401 invalid_client', async (_how, parameters, authorization) => {
      const answer = await ask(path, parameters, authorization);
      expect(answer.outcome).toBe('401 invalid_client');
      const challenge = answer.headers.get('www-authenticate');
      if (authorization === undefined) expect(challenge).toBeNull();
      else expect(challenge).toMatch(/^Basic realm="/);
    });

    it.each<[string, Record<string, string>, string | undefined]>([
      [
        'Basic and a secret in the body',
        { client_id: 'robot', client_secret: ROBOT_SECRET },
        basic('robot', ROBOT_SECRET),
      ],
      ['Basic and an assertion', { client_assertion: 'x' }, basic('robot', ROBOT_SECRET)],
      ['a secret and an assertion', { client_id: 'robot', client_secret: 'x', client_assertion: 'y' }, undefined],
      ['Basic, and another client_id', { client_id: 'tv' }, basic('robot', ROBOT_SECRET)],
      ['an assertion without its type', { client_assertion: 'x' }, undefined],
      ['no client at all', {}, undefined],
    ])('a client MUST NOT use more than one way: %s gets invalid_request', async (_how, parameters, authorization) => {
      expect((await ask(path, parameters, authorization)).outcome).toBe('400 invalid_request');
    });

    it('a wrong secret and an unknown client have the same body and header names', async () => {
      const answers = await Promise.all([
        ask(path, { client_id: 'nobody', client_secret: 'x' }),
        ask(path, { client_id: 'robot', client_secret: 'x' }),
        ask(path, { client_id: 'tv', client_secret: 'x' }),
      ]);
      expect(new Set(answers.map(({ text }) => text)).size).toBe(1);
      expect(new Set(answers.map(({ headers }) => [...headers.keys()].join())).size).toBe(1);
      const byBasic = await Promise.all([ask(path, {}, basic('nobody', 'x')), ask(path, {}, basic('robot', 'x'))]);
      expect(byBasic[0]?.text).toBe(byBasic[1]?.text);
    });

    it('syntax is judged before the client: a repeated parameter of an unknown client is invalid_request', async () => {
      const body = 'client_id=nobody&client_id=nobody';
      const answer = await test.device().send(path, { method: 'POST', headers: { 'content-type': FORM }, body });
      expect(answer.body.error).toBe('invalid_request');
    });
  });

  it('the client is judged before the grant type: an unknown one learns nothing of what is supported', async () => {
    const { outcome } = await ask('/token', { client_id: 'nobody', grant_type: 'password' });
    expect(outcome).toBe('401 invalid_client');
  });
});
