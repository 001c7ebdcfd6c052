import { createServer, type Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import { afterAll, beforeAll, describe, expect, it, vi } from 'vitest';
import { ScriptedPerson, type VisitedPage } from '../../demo/scripted-person.ts';
import { runLogin } from '../support/broker/login-run.ts';

/** A certified provider with a device flow of its own: no `interval` in its answer, and pages unlike ours. */
describe('gatehouse login at oidc-provider', () => {
  let server: Server;
  let issuer: string;

  beforeAll(async () => {
    // It has advice for people who run it.
    vi.spyOn(console, 'warn').mockReturnValue();
    vi.spyOn(console, 'info').mockReturnValue();
    const { Provider } = await import('oidc-provider');
    server = createServer();
    await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
    issuer = `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
    const provider = new Provider(issuer, {
      clients: [
        {
          client_id: 'tv',
          token_endpoint_auth_method: 'none',
          grant_types: ['urn:ietf:params:oauth:grant-type:device_code'],
          redirect_uris: [],
          response_types: [],
        },
      ],
      features: { deviceFlow: { enabled: true } },
      claims: { profile: ['name'], email: ['email'] },
      findAccount: (_ctx, id) => ({
        accountId: id,
        claims: () => ({ sub: id, name: 'Alice Adams', email: 'a@example.com' }),
      }),
    });
    const answer = provider.callback();
    server.on('request', (request, response) => void answer(request, response));
  });
  afterAll(() => {
    vi.restoreAllMocks();
    server.closeAllConnections();
    server.close();
  });

  /** Answers each of its pages by the field that it has; `undefined` at the last one. */
  function answerTo(page: VisitedPage, code: string, isWilling: boolean) {
    const known: Record<string, string> = { user_code: code, login: 'alice', password: 'any', prompt: 'consent' };
    const [form] = page.forms;
    if (form === undefined) return undefined;
    if (form.fields.has('confirm') && !isWilling) return { form, filled: { abort: 'yes' } };
    const filled = [...form.fields].filter(([name, value]) => name in known && value === '');
    return { form, filled: Object.fromEntries(filled.map(([name]) => [name, known[name] ?? ''])) };
  }

  async function decideAt(code: string, isWilling: boolean): Promise<void> {
    const person = new ScriptedPerson();
    let page = await person.visit(`${issuer}/device`);
    for (let step = 0; step < 8; step += 1) {
      const answer = answerTo(page, code, isWilling);
      if (answer === undefined || page.status >= 400) return;
      page = await person.submit(page, answer.form, answer.filled);
    }
  }

  async function logIn(isWilling: boolean) {
    let code = '';
    const watching: typeof fetch = async (url, init) => {
      const response = await fetch(url, init);
      const body = (await response.clone().json()) as { user_code?: string };
      code = body.user_code ?? code;
      return response;
    };
    return runLogin(['--issuer', issuer, '--client-id', 'tv', '--scope', 'openid profile email'], {
      fetch: watching,
      onSleep: async (count) => {
        if (count === 2) await decideAt(code, isWilling);
      },
    });
  }

  it('waits 5 seconds between polls, verifies the ID token, and asks userinfo for the name', async () => {
    const { exitCode, screen, sleeps } = await logIn(true);
    expect(screen).toContain('Signed in as Alice Adams (a@example.com).');
    expect(screen).toContain(`The ID token is verified: ${issuer} signed it.`);
    expect([exitCode, sleeps]).toEqual([0, [5, 5]]);
  });

  it('ends with 3 when the person aborts there', async () => {
    const { exitCode, screen } = await logIn(false);
    expect(screen).toContain('Denied');
    expect(exitCode).toBe(3);
  });
});
