import { mkdtempSync } from 'node:fs';
import { writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { PassThrough } from 'node:stream';
import { afterEach, describe, expect, it } from 'vitest';
import { profileFiles } from '../../src/cli/profiles/profile-files.ts';
import { type LoginRunOptions, runLogin } from '../support/broker/login-run.ts';
import { type RotatingServer, startRotatingServer } from '../support/broker/rotating-server.ts';
import { createTestBroker, DEVICE_CLIENT, type TestBroker } from '../support/broker/test-broker.ts';

const opened: { close(): Promise<void> }[] = [];
afterEach(async () => {
  for (const one of opened.splice(0)) await one.close();
});

async function brokerWith(clients: Record<string, Record<string, unknown>>): Promise<TestBroker> {
  const broker = await createTestBroker({ yaml: { clients } });
  opened.push(broker);
  return broker;
}

function typing(...lines: string[]): PassThrough & { isTTY: boolean } {
  const stdin = Object.assign(new PassThrough(), { isTTY: true });
  for (const line of lines) stdin.write(`${line}\n`);
  return stdin;
}

async function logIn(broker: TestBroker, options: LoginRunOptions = {}) {
  return runLogin([broker.publicUrl], {
    ...options,
    async onSleep(count, { milliseconds, screen }) {
      await broker.advance(milliseconds);
      if (count === 1) await broker.approve(/^[A-Z]{4}-[A-Z]{4}$/m.exec(screen)?.[0] ?? '');
    },
  });
}

describe('the document of published clients', () => {
  it('names those that are published, what they ask for, and nobody else', async () => {
    const broker = await brokerWith({
      [DEVICE_CLIENT]: { published: true },
      internal: { name: 'Internal' },
    });
    const response = await fetch(`${broker.origin}/.well-known/gatehouse-profiles`);
    expect([response.status, response.headers.get('cache-control')]).toEqual([200, 'public, max-age=300']);
    expect(await response.json()).toMatchObject({ issuer: broker.publicUrl, profiles: [{ client_id: DEVICE_CLIENT }] });
  });
});

describe('gatehouse login ISSUER', () => {
  it('takes the only client that there is', async () => {
    const broker = await brokerWith({ [DEVICE_CLIENT]: { published: true } });
    const state = mkdtempSync(join(tmpdir(), 'gatehouse-state-'));
    const run = await logIn(broker, { environment: { XDG_STATE_HOME: state } });
    expect([run.exitCode, run.screen]).toEqual([0, expect.stringMatching(/Kept as at-127-0-0-1-.*|Kept as 127\.0/)]);
    const files = profileFiles(join(state, 'gatehouse'));
    expect(files.names().map((name) => files.read(name)?.clientId)).toEqual([DEVICE_CLIENT]);
  });

  it('asks which, where there are several, again where the answer is none of them', async () => {
    const broker = await brokerWith({
      other: { name: 'Other \u202etool', published: true },
      [DEVICE_CLIENT]: { published: true },
    });
    const { profiles } = (await (await fetch(`${broker.origin}/.well-known/gatehouse-profiles`)).json()) as {
      profiles: { client_id: string }[];
    };
    const number = profiles.findIndex(({ client_id: id }) => id === DEVICE_CLIENT) + 1;
    const run = await logIn(broker, { stdin: typing('7', String(number)) });
    expect([run.exitCode, run.screen]).toEqual([0, expect.stringContaining('has several clients')]);
    expect(run.screen).not.toContain('\u202e');
    const alone = await runLogin([broker.publicUrl]);
    expect([alone.exitCode, alone.screen]).toEqual([64, expect.stringContaining('say --client-id, one of')]);
  });

  it('is told without https that this is why, before anything is asked', async () => {
    const run = await runLogin(['http://login.example'], { fetch: () => Promise.reject(new Error('asked')) });
    expect([run.exitCode, run.screen]).toEqual([1, expect.stringContaining('without https')]);
  });

  it('is told of a document that names another issuer', async () => {
    const answer = () => Promise.resolve(Response.json({ issuer: 'https://other.example', profiles: [] }));
    const run = await runLogin(['https://login.example'], { fetch: answer });
    expect([run.exitCode, run.screen]).toEqual([1, expect.stringContaining('its issuer is https://other.example')]);
  });

  it('ends as stopped where the person leaves the question', async () => {
    const broker = await brokerWith({ other: { published: true }, [DEVICE_CLIENT]: { published: true } });
    const stdin = typing();
    stdin.end();
    const run = await runLogin([broker.publicUrl], { stdin });
    expect([run.exitCode, run.screen]).toEqual([130, expect.stringContaining('Stopped.')]);
  });

  it('says what is missing where the server names none', async () => {
    const broker = await brokerWith({});
    expect(await runLogin([broker.publicUrl])).toMatchObject({ exitCode: 64 });
    const run = await runLogin(['http://127.0.0.1:1']);
    expect([run.exitCode, run.screen]).toEqual([64, expect.stringContaining('--client-id is missing')]);
  });
});

describe('gatehouse-profile.yaml of the folder', () => {
  async function projectOf(server: RotatingServer) {
    const folder = mkdtempSync(join(tmpdir(), 'gatehouse-project-'));
    await writeFile(
      join(folder, 'gatehouse-profile.yaml'),
      `issuer: ${server.issuer}\nclient_id: team\nscopes: [a, b]\n`,
    );
    return folder;
  }

  it('makes nobody sign in where they have not said yes', async () => {
    const server = await startRotatingServer();
    opened.push(server);
    const folder = await projectOf(server);
    const alone = await runLogin([], { folder });
    expect([alone.exitCode, alone.screen]).toEqual([64, expect.stringContaining(new URL(server.issuer).host)]);
    for (const answer of ['n', '', 'yep']) {
      expect((await runLogin([], { folder, stdin: typing(answer) })).exitCode).toBe(64);
    }
    expect(server.forms).toEqual([]);
    const yes = await runLogin([], { folder, stdin: typing('y') });
    expect(yes.exitCode).toBe(0);
    expect(server.forms[0]).toMatchObject({ client_id: 'team', scope: 'a b' });
  });

  it('asks no more once somebody has signed in by it', async () => {
    const server = await startRotatingServer();
    opened.push(server);
    const [folder, state] = [await projectOf(server), mkdtempSync(join(tmpdir(), 'gatehouse-state-'))];
    const environment = { XDG_STATE_HOME: state };
    expect((await runLogin([], { folder, environment, stdin: typing('y') })).exitCode).toBe(0);
    expect((await runLogin([], { folder, environment })).exitCode).toBe(0);
  });

  it.each([
    'issuer: nowhere\nclient_id: x',
    'issuer: https://a.example',
    'issuer: https://a.example\nclient_id: x\nprofile: ../x',
    'issuer: https://a.example\nclient_id: x\nrun: rm',
    '[',
    '- a',
  ])('is refused by name where it cannot be meant: %j', async (text) => {
    const folder = mkdtempSync(join(tmpdir(), 'gatehouse-project-'));
    await writeFile(join(folder, 'gatehouse-profile.yaml'), text);
    const run = await runLogin([], { folder });
    expect([run.exitCode, run.screen]).toEqual([64, expect.stringContaining('gatehouse-profile.yaml')]);
  });
});
