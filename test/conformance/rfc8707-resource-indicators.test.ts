import { decodeJwt } from 'jose';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { createTestBroker, type TestBroker } from '../support/broker/test-broker.ts';

const A = 'https://a.example.com';
const B = 'https://b.example.com';
const C = 'https://c.example.com';

describe('RFC 8707: resource indicators', () => {
  let test: TestBroker;
  beforeEach(async () => {
    test = await createTestBroker({ yaml: { clients: { 'build-cli': { resources: [A, B] }, bare: {} } } });
  });
  afterEach(() => test.close());

  const invalidTarget = { status: 400, body: { error: 'invalid_target' } };

  async function approved(resource: string[] = [], clientId = 'build-cli') {
    const device = test.device({ clientId });
    const { body } = await device.start({ resource });
    await test.approve(body.user_code);
    return { device, code: body.device_code };
  }

  it.each([
    ['one', [A], A],
    ['another', [B], B],
    ['two', [B, A], [B, A]],
    ['the same twice', [A, A], A],
    ['none: the client’s first', [], A],
  ])('§2: the access token is for what was asked at device authorization: %s', async (_what, resource, audience) => {
    const { device, code } = await approved(resource);
    expect(decodeJwt((await device.poll(code)).body.access_token).aud).toEqual(audience);
  });

  it.each([
    ['a slash behind the host', `${A}/`],
    ['upper case and a default port', 'HTTPS://A.Example.com:443'],
    ['several spellings', ['https://A.example.com', `${A}/./`]],
  ])('another spelling of one is that one, and aud is as configured: %s', async (_what, resource) => {
    const device = test.device();
    const { body } = await device.start({ resource });
    await test.approve(body.user_code);
    const first = await device.poll(body.device_code, { resource });
    const second = await device.refresh(first.body.refresh_token, { resource });
    for (const answer of [first, second]) expect(decodeJwt(answer.body.access_token).aud).toBe(A);
  });

  it('a refusal names the resource', async () => {
    const { body } = await test.device().start({ resource: [A, `${C}/"x"`] });
    expect(body['error_description']).toContain(`${C}/?x?`);
  });

  it('a session outlives another spelling in the configuration, and has that one then', async () => {
    const { device, code } = await approved([A, B]);
    const { body } = await device.poll(code);
    test.reload({ clients: { 'build-cli': { resources: [`${B}/`, `${A}:443/`] } } });
    expect(decodeJwt((await device.refresh(body.refresh_token)).body.access_token).aud).toEqual([`${A}:443/`, `${B}/`]);
  });

  it('a client without resources has tokens for the issuer', async () => {
    const { device, code } = await approved([], 'bare');
    expect(decodeJwt((await device.poll(code)).body.access_token).aud).toBe(test.publicUrl);
  });

  it.each([
    ['another one', [C]],
    ['one of several', [A, C]],
    ['no URI', ['packages']],
    ['a fragment', [`${A}#x`]],
    ['another path', [`${A}/x`]],
    ['another port', [`${A}:8443`]],
  ])('§2: %s that is not the client’s: invalid_target', async (_what, resource) => {
    expect(await test.device().start({ resource })).toMatchObject(invalidTarget);
  });

  it('§2.2: a poll may narrow, and that goes for this access token only', async () => {
    const { device, code } = await approved([A, B]);
    const { body } = await device.poll(code, { resource: B });
    expect(decodeJwt(body.access_token).aud).toBe(B);
    expect(decodeJwt((await device.refresh(body.refresh_token)).body.access_token).aud).toEqual([A, B]);
  });

  it('a resource that a poll names twice is one', async () => {
    const { device, code } = await approved([A, B]);
    const { body } = await device.poll(code, { resource: [A, A] });
    expect(decodeJwt(body.access_token).aud).toBe(A);
  });

  it('§2.2: a poll that asks for more is refused, and the code is not spent', async () => {
    const { device, code } = await approved([A]);
    const refused = await device.poll(code, { resource: B });
    expect(refused).toMatchObject(invalidTarget);
    expect(refused.body['error_description']).toContain(B);
    expect(await device.poll(code, { resource: [A, B] })).toMatchObject(invalidTarget);
    expect((await device.poll(code, { resource: A })).status).toBe(200);
  });

  it('a resource that the client may no longer have is not issued', async () => {
    const both = await approved([A, B]);
    const one = await approved([B]);
    test.reload({ clients: { 'build-cli': { resources: [A] } } });
    expect(decodeJwt((await both.device.poll(both.code)).body.access_token).aud).toBe(A);
    expect((await one.device.poll(one.code)).body.error).toBe('access_denied');
  });
});
