import { PassThrough } from 'node:stream';
import { setTimeout as delay } from 'node:timers/promises';
import { afterEach, describe, expect, it } from 'vitest';
import { approve, type VisitedPage } from '../../demo/scripted-person.ts';
import { runLogin } from '../support/broker/login-run.ts';
import { createTestBroker, DEVICE_CLIENT, type TestBroker, type YamlChanges } from '../support/broker/test-broker.ts';

const opened: TestBroker[] = [];
afterEach(async () => {
  for (const broker of opened.splice(0)) await broker.close();
});

interface Journey {
  client?: Record<string, unknown>;
  yaml?: YamlChanges;
  args?: readonly string[];
  /** What the person does while the device waits for the n-th time. */
  person: (count: number, userCode: string, broker: TestBroker) => void | Promise<void>;
  stdin?: PassThrough;
  environment?: Record<string, string>;
}

async function logIn({ client = {}, yaml = {}, args = [], person, stdin, environment = {} }: Journey) {
  const broker = await createTestBroker({ yaml: { ...yaml, clients: { [DEVICE_CLIENT]: client } } });
  opened.push(broker);
  return runLogin(['--issuer', broker.publicUrl, '--client-id', DEVICE_CLIENT, ...args], {
    environment,
    ...(stdin !== undefined && { stdin: Object.assign(stdin, { isTTY: true }) }),
    async onSleep(count, { milliseconds, screen }) {
      await broker.advance(milliseconds);
      await person(count, /^[A-Z]{4}-[A-Z]{4}$/m.exec(screen)?.[0] ?? '', broker);
    },
  });
}

describe('gatehouse login at Gatehouse', () => {
  it('signs in when the person approves: the ID token verifies, and the name comes with it', async () => {
    const { exitCode, screen, stdout } = await logIn({
      client: { claims: ['email', 'name'] },
      args: ['--json', '--scope', 'openid', '--scope', 'packages:read'],
      person: async (count, userCode, broker) => {
        if (count === 2) await broker.approveInBrowser(userCode);
      },
    });
    expect(screen).toMatch(/Signed in as .+\./);
    expect(screen).toContain('verified');
    expect(JSON.parse(stdout)).toMatchObject({ token_type: 'Bearer', scope: 'openid packages:read' });
    expect(exitCode).toBe(0);
  });

  it('ends with 3 when the person denies', async () => {
    const run = await logIn({ person: (count, userCode, broker) => (count === 2 ? broker.deny(userCode) : undefined) });
    expect(run.exitCode).toBe(3);
  });

  it('ends with 4 when nobody comes', async () => {
    const run = await logIn({ client: { lifetimes: { code: '20s' } }, person: () => undefined });
    expect([run.exitCode, run.sleeps]).toEqual([4, [5, 5, 5, 5]]);
  });

  it('says which scope is refused', async () => {
    const run = await logIn({ args: ['--scope', 'packages:write'], person: () => undefined });
    expect(run.exitCode).toBe(1);
    expect(run.screen).toContain('invalid_scope');
  });

  it('brings the key of PKCE to a client that must use it', async () => {
    const run = await logIn({
      client: { require: ['pkce'] },
      person: (count, userCode, broker) => (count === 1 ? broker.approve(userCode) : undefined),
    });
    expect(run.exitCode).toBe(0);
  });

  it('sends the digits of the done page, where the administrator wants them and there is a keyboard', async () => {
    const stdin = new PassThrough();
    const type = async (digits: string): Promise<void> => {
      stdin.write(`${digits}\n`);
      await delay(20);
    };
    let done: VisitedPage | undefined;
    const run = await logIn({
      client: { safeguards: { reverse_code: 'supported' } },
      stdin,
      person: async (count, userCode, broker) => {
        if (count === 1) done = await approve(`${broker.publicUrl}/device`, userCode, 'alice');
        const digits = /\b\d{4}\b/.exec(done?.html.replace(/<(style|head)\b.*?<\/\1>/gs, '') ?? '')?.[0] ?? '';
        if (count === 2) await type(digits === '0000' ? '1111' : '0000');
        if (count === 3) await type(digits);
      },
    });
    expect(run.screen).toContain('When the browser shows 4 digits');
    expect(run.screen).toContain('These digits were not taken.');
    expect([run.exitCode, run.sleeps]).toEqual([0, [5, 5, 5]]);
  });
});

describe('gatehouse login on the machine of the browser', () => {
  const DESKTOP = { DISPLAY: ':0' };

  it('is told by the browser, and polls at once: nobody types anything', async () => {
    let page: VisitedPage | undefined;
    const run = await logIn({
      stdin: new PassThrough(),
      environment: DESKTOP,
      person: async (count, userCode, broker) => {
        if (count === 1) page = await approve(`${broker.publicUrl}/device`, userCode, 'alice');
      },
    });
    expect(page?.url.searchParams.get('loopback')).toBe('told');
    expect(page?.html).toContain('You can return to your device now');
    expect([run.exitCode, run.sleeps]).toEqual([0, [5]]);
    expect(run.screen).toContain('If the browser shows 4 digits');
    expect(run.screen).toContain('Signed in');
  });

  it('waits for a held approval with the proof in its hand', async () => {
    const run = await logIn({
      client: { safeguards: { hold: '12s' } },
      stdin: new PassThrough(),
      environment: DESKTOP,
      person: async (count, userCode, broker) => {
        if (count === 1) await approve(`${broker.publicUrl}/device`, userCode, 'alice');
      },
    });
    expect([run.exitCode, run.sleeps]).toEqual([0, [5, 5, 5, 5]]);
  });

  it.each([
    ['over ssh', { ...DESKTOP, SSH_CONNECTION: '192.0.2.1 50000 192.0.2.2 22' }, 'standard'],
    ['without a desktop', {}, 'standard'],
    ['at a server that does not offer it', DESKTOP, 'open'],
  ])('%s does not listen, and signs in as before', async (_, environment, safeguards) => {
    let page: VisitedPage | undefined;
    const run = await logIn({
      client: { safeguards },
      stdin: new PassThrough(),
      environment,
      person: async (count, userCode, broker) => {
        if (count === 1) page = await approve(`${broker.publicUrl}/device`, userCode, 'alice');
      },
    });
    expect(page?.url.searchParams.has('loopback')).toBe(false);
    expect([run.exitCode, run.sleeps]).toEqual([0, [5]]);
  });

  it('asks for the digits that the page shows to who comes back from an error', async () => {
    const stdin = new PassThrough();
    /** A browser on another machine finds nobody at that address, and its person goes back. */
    const elsewhere: typeof fetch = async (input, init) => {
      const back = new URL(input instanceof Request ? input.url : input).searchParams.get('return_uri');
      if (back === null) return fetch(input, init);
      return new Response(null, { status: 303, headers: { location: back.replace('&loopback=told', '') } });
    };
    let page: VisitedPage | undefined;
    const run = await logIn({
      stdin,
      environment: DESKTOP,
      person: async (count, userCode, broker) => {
        if (count === 1) page = await approve(`${broker.publicUrl}/device`, userCode, 'alice', { fetch: elsewhere });
        if (count !== 2) return;
        stdin.write(`${/class="code digits"[^>]*>(\d{4})</.exec(page?.html ?? '')?.[1]}\n`);
        await delay(20);
      },
    });
    expect(page?.html).toContain('Never tell anyone');
    expect([run.exitCode, run.sleeps]).toEqual([0, [5, 5]]);
  });
});
