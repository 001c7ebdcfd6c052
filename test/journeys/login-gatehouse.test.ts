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
}

async function logIn({ client = {}, yaml = {}, args = [], person, stdin }: Journey) {
  const broker = await createTestBroker({ yaml: { ...yaml, clients: { [DEVICE_CLIENT]: client } } });
  opened.push(broker);
  return runLogin(['--issuer', broker.publicUrl, '--client-id', DEVICE_CLIENT, ...args], {
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
