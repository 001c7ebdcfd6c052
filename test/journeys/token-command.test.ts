import { mkdirSync, mkdtempSync, readdirSync, readFileSync, rmSync, utimesSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as delay } from 'node:timers/promises';
import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest';
import type { Need } from '../../src/cli/profiles/profile.ts';
import { type ProfileFiles, profileFiles } from '../../src/cli/profiles/profile-files.ts';
import { isMeant } from '../../src/cli/token/answer-helper.ts';
import { freshToken } from '../../src/cli/token/fresh-token.ts';
import { runLogin } from '../support/broker/login-run.ts';
import {
  type RotatingServer,
  type RotatingServerOptions,
  startRotatingServer,
} from '../support/broker/rotating-server.ts';
import { runCli } from '../support/broker/run-cli.ts';

const MINUTE: Need = { minValidMs: 60_000, wantsIdToken: false };

let state: string;
let files: ProfileFiles;
let aheadMs: number;
let waitedMs: number[];
const opened: RotatingServer[] = [];

beforeEach(() => {
  state = mkdtempSync(join(tmpdir(), 'gatehouse-state-'));
  files = profileFiles(join(state, 'gatehouse'));
  aheadMs = 0;
  waitedMs = [];
  vi.stubEnv('XDG_STATE_HOME', state);
});
afterEach(async () => {
  vi.unstubAllEnvs();
  for (const server of opened.splice(0)) await server.close();
});

async function signedIn(options: RotatingServerOptions = {}): Promise<RotatingServer> {
  const server = await startRotatingServer(options);
  opened.push(server);
  const args = ['--profile', 'corp', '--issuer', server.issuer, '--client-id', 'cli'];
  expect((await runLogin(args, { environment: { XDG_STATE_HOME: state } })).exitCode).toBe(0);
  return server;
}

/** What another process would get, on a clock that is moved by hand. */
function ask(need: Need = MINUTE, wish: { scopes?: string[]; resources?: string[] } = {}) {
  const deps = {
    ...{ files, environment: {}, fetch, now: () => Date.now() + aheadMs, signal: new AbortController().signal },
    // Waiting for another is real; waiting for a server is not.
    sleep: async (milliseconds: number) => {
      if (milliseconds < 100) await delay(milliseconds);
      else waitedMs.push(milliseconds);
    },
  };
  return freshToken(deps, 'corp', { scopes: [], resources: [], ...wish }, need);
}

async function tokenNow(...asked: Parameters<typeof ask>): Promise<string> {
  const found = await ask(...asked);
  if (found.outcome !== 'token') throw new Error(`${found.outcome}: ${found.reason}`);
  return found.token.accessToken.reveal();
}

describe('gatehouse token', () => {
  it('serves the kept token while it is good for as long as is wanted, without asking anybody', async () => {
    const server = await signedIn();
    const first = await tokenNow();
    aheadMs = 539_000;
    expect(await tokenNow()).toBe(first);
    expect(server.seen.refreshes).toBe(0);
    aheadMs = 541_000;
    expect(await tokenNow()).not.toBe(first);
  });

  it('makes one refresh for twenty callers at once, and they all get what it brought', async () => {
    const server = await signedIn({ refreshMs: 50 });
    aheadMs = 599_000;
    const tokens = await Promise.all(Array.from({ length: 20 }, () => tokenNow()));
    expect(new Set(tokens).size).toBe(1);
    expect(server.seen).toMatchObject({ refreshes: 1, mostAtOnce: 1, reused: 0 });
  });

  it('shows the same refresh token again when the answer was lost', async () => {
    const server = await signedIn({
      redelivers: true,
      onRefresh: (count) => (count === 1 ? 'lost answer' : undefined),
    });
    aheadMs = 600_000;
    const token = await tokenNow();
    const [first, second] = server.forms.slice(-2);
    expect(first?.['refresh_token']).toBe(second?.['refresh_token']);
    expect(await tokenNow()).toBe(token);
    aheadMs = 1_200_000;
    await tokenNow();
    expect(server.seen.reused).toBe(0);
  });

  it('says so when the answer was lost and the server gives it to nobody again', async () => {
    const server = await signedIn({ onRefresh: (count) => (count === 1 ? 'lost answer' : undefined) });
    aheadMs = 600_000;
    expect(await ask()).toMatchObject({ outcome: 'sign in', reason: expect.stringContaining('invalid_grant') });
    // Nobody shows it a third time.
    expect(await ask()).toMatchObject({ outcome: 'sign in' });
    expect(server.seen.refreshes).toBe(2);
  });

  it('keeps a refresh token that the server does not rotate', async () => {
    const server = await signedIn({ rotates: false });
    for (aheadMs = 600_000; aheadMs < 3_000_000; aheadMs += 600_000) await tokenNow();
    expect(server.seen).toMatchObject({ refreshes: 4, reused: 0 });
  });

  it.each([
    ['an ID token that does not check', { access_token: 'at-2', id_token: 'no.id.token' }],
    ['an access token with a blank', { access_token: 'at 2' }],
  ])('keeps the refresh token that came with %s', async (_, tokens) => {
    const json = { ...tokens, token_type: 'Bearer', expires_in: 600, refresh_token: 'rt-next' };
    const server = await signedIn({ onRefresh: (count) => (count === 1 ? { status: 200, json } : undefined) });
    aheadMs = 600_000;
    expect(await ask()).toMatchObject({ outcome: 'refused' });
    expect([server.seen.refreshes, files.read('corp')?.refreshToken?.reveal()]).toEqual([1, 'rt-next']);
  });

  it('wants a person where the server renews no ID token, and asks it once', async () => {
    const server = await signedIn();
    aheadMs = 600_000;
    const wanted = { outcome: 'sign in', reason: expect.stringContaining('ID token') };
    for (const _ of [1, 2, 3]) expect(await ask({ ...MINUTE, wantsIdToken: true })).toMatchObject(wanted);
    expect(server.seen.refreshes).toBe(1);
    expect(await runCli('token', '--id-token')).toMatchObject({ code: 4, out: '' });
  });

  it('wants a person where there is no refresh token, and says why', async () => {
    await signedIn({ givesRefreshTokens: false });
    await tokenNow();
    aheadMs = 600_000;
    expect(await ask()).toMatchObject({ outcome: 'sign in', reason: expect.stringContaining('no refresh token') });
  });

  it('waits as a busy server asks where that is short, and tells where it is long', async () => {
    const busy = (seconds: number) => ({ status: 429, json: {}, headers: { 'retry-after': String(seconds) } });
    const server = await signedIn({ onRefresh: (count) => [busy(2), undefined, busy(90)][count - 1] });
    aheadMs = 600_000;
    await tokenNow();
    expect(waitedMs).toEqual([2000]);
    aheadMs = 1_200_000;
    expect(await ask()).toMatchObject({ outcome: 'away', reason: expect.stringContaining('90 s') });
    // The others leave it alone meanwhile.
    expect(await ask()).toMatchObject({ outcome: 'away', reason: expect.stringContaining('left alone') });
    expect(server.seen.refreshes).toBe(3);
    aheadMs += 91_000;
    await tokenNow();
  });

  it('leaves a server alone for a day at most, however many digits it sends', async () => {
    const never = { status: 429, json: {}, headers: { 'retry-after': '9'.repeat(400) } };
    const server = await signedIn({ onRefresh: (count) => (count === 1 ? never : undefined) });
    aheadMs = 600_000;
    expect(await ask()).toMatchObject({ outcome: 'away', reason: expect.not.stringContaining('Infinity') });
    aheadMs += 86_401_000;
    await tokenNow();
    expect(server.seen.refreshes).toBe(2);
  });

  it('takes tokens that never live as long as is wanted for half of their life, instead of asking each time', async () => {
    const server = await signedIn({ accessSeconds: 20 });
    const first = await tokenNow();
    aheadMs = 8000;
    expect(await tokenNow()).toBe(first);
    aheadMs = 11_000;
    expect(await tokenNow()).not.toBe(first);
    expect(server.seen.refreshes).toBe(1);
  });

  it('trusts no token that comes from the future: the clock was set back by more than a step', async () => {
    const server = await signedIn();
    aheadMs = -3_600_000;
    await tokenNow();
    expect(server.seen.refreshes).toBe(1);
  });

  it('keeps a token for each thing it was asked for', async () => {
    const server = await signedIn();
    const plain = await tokenNow();
    const narrow = await tokenNow(MINUTE, { resources: ['https://api.example.com'] });
    expect(narrow).not.toBe(plain);
    expect(server.forms.at(-1)).toMatchObject({ resource: 'https://api.example.com' });
    expect([await tokenNow(), await tokenNow(MINUTE, { resources: ['https://api.example.com'] })]).toEqual([
      plain,
      narrow,
    ]);
    expect(server.seen.refreshes).toBe(1);
  });

  it('forgets nothing when the server does not allow what was asked for', async () => {
    await signedIn({ onRefresh: (n) => (n === 1 ? { status: 400, json: { error: 'invalid_scope' } } : undefined) });
    expect(await ask(MINUTE, { scopes: ['admin'] })).toMatchObject({ outcome: 'sign in' });
    aheadMs = 600_000;
    await tokenNow();
  });

  it('prints it in the form that is asked for, and nothing else to stdout', async () => {
    await signedIn({ scope: 'packages:read' });
    const { out: raw } = await runCli('token', '--profile', 'corp');
    const token = raw.trim();
    expect(token).toMatch(/^at-/);
    const forms: string[] = [];
    for (const form of ['json', 'header', 'env', 'kubectl']) {
      forms.push((await runCli('token', '--profile', 'corp', '--format', form)).out);
    }
    const [json = '', header, env, kubectl = ''] = forms;
    expect(JSON.parse(json)).toMatchObject({ access_token: token, token_type: 'Bearer', scope: 'packages:read' });
    expect(header).toBe(`Authorization: Bearer ${token}\n`);
    expect(env).toBe(`export GATEHOUSE_TOKEN='${token}'\n`);
    expect(JSON.parse(kubectl)).toMatchObject({ kind: 'ExecCredential', status: { token } });
  });

  it.each([
    ['good', 200, '<Expiration>2030-01-01T00:00:00Z</Expiration>', 0],
    ['without an end', 200, '', 1],
    ['refused', 403, '', 1],
    ['away', 503, '', 69],
    ['endless', 200, ' '.repeat(2 * 1024 * 1024), 1],
  ])('knows an answer of STS that is %s', async (_what, status, more, code) => {
    const server = await signedIn();
    const keys = '<AccessKeyId>a</AccessKeyId><SecretAccessKey>b</SecretAccessKey><SessionToken>c</SessionToken>';
    const sts = 'https://sts.cn-north-1.amazonaws.com.cn/';
    const asked = vi.spyOn(globalThis, 'fetch').mockResolvedValue(new Response(keys + more, { status }));
    vi.stubEnv('AWS_REGION', 'cn-north-1');
    vi.stubEnv('AWS_ENDPOINT_URL_STS', '');
    const run = await runCli('token', '--profile', 'corp', '--format', 'aws', '--role-arn', 'arn:aws-cn:iam::1:role/r');
    const addresses = asked.mock.calls.map(([url]) => (url instanceof URL ? url.href : ''));
    asked.mockRestore();
    expect([run.code, run.out !== '', addresses, server.seen.refreshes]).toEqual([code, code === 0, [sts], 0]);
  });

  it('ends with 4 and the command to type where nobody is signed in, or at a terminal', async () => {
    const one = await runCli('token', '--issuer', 'https://login.example.com', '--client-id', "it's");
    expect([one.code, one.out]).toEqual([4, '']);
    expect(one.err).toContain(`gatehouse login --issuer https://login.example.com --client-id 'it'\\''s'`);
    await signedIn({ givesRefreshTokens: false });
    const kept = files.read('corp');
    if (kept !== undefined) files.write({ ...kept, tokens: [] });
    const other = await runCli('token', '--profile', 'corp');
    expect([other.code, other.out]).toEqual([4, '']);
    expect(other.err).toContain('gatehouse login --profile corp\n');
  });

  it('says where the cache cannot be trusted, with 1', async () => {
    await signedIn();
    const path = join(files.folder, 'corp.json');
    writeFileSync(path, readFileSync(path, 'utf8').slice(0, 50));
    const run = await runCli('token', '--profile', 'corp');
    expect([run.code, run.out]).toEqual([1, '']);
    expect(run.err).toContain(path);
    const login = await runLogin(['--profile', 'corp'], { environment: { XDG_STATE_HOME: state } });
    expect([login.exitCode, readFileSync(path).length]).toEqual([1, 50]);
  });

  it('never says a token in its complaints, whatever the server sends', async () => {
    const evil = { error: 'server_error', error_description: '\u001b[2Jsee at- below\u202e' };
    await signedIn({ onRefresh: () => ({ status: 400, json: evil }) });
    aheadMs = 600_000;
    const found = await ask();
    expect(found).toMatchObject({ outcome: 'refused', reason: expect.not.stringMatching(/\p{Cc}|\p{Cf}/u) });
    expect(JSON.stringify(found)).not.toContain('rt-');
  });
});

describe('gatehouse token knows which profile is meant', () => {
  it('by the only one there is, by the environment, by issuer and client', async () => {
    const server = await signedIn();
    expect((await runCli('token')).code).toBe(0);
    vi.stubEnv('GATEHOUSE_PROFILE', 'other');
    expect((await runCli('token')).err).toContain('gatehouse login');
    vi.stubEnv('GATEHOUSE_PROFILE', 'corp');
    expect((await runCli('token')).code).toBe(0);
    vi.stubEnv('GATEHOUSE_PROFILE', '');
    await runLogin(['--issuer', server.issuer, '--client-id', 'tv'], { environment: { XDG_STATE_HOME: state } });
    expect((await runCli('token')).err).toContain('say --profile NAME');
    expect((await runCli('token', '--issuer', server.issuer, '--client-id', 'tv')).code).toBe(0);
    vi.stubEnv('GATEHOUSE_ISSUER', server.issuer);
    vi.stubEnv('GATEHOUSE_CLIENT_ID', 'tv');
    expect((await runCli('token')).code).toBe(0);
  });

  it('and never lets a name mean another server', async () => {
    const server = await signedIn();
    const other = ['--profile', 'corp', '--issuer', 'https://evil.example', '--client-id', 'cli'];
    expect(await runCli('token', ...other)).toMatchObject({ code: 64, err: expect.stringContaining(server.issuer) });
    const login = await runLogin(other, { environment: { XDG_STATE_HOME: state } });
    expect([login.exitCode, login.screen.includes('--forget')]).toEqual([64, true]);
  });

  it.each(['../../etc/passwd', '.ssh', 'a/b', '', 'CON'])('and no path passes for one: %j', async (name) => {
    expect((await runCli('token', '--profile', name)).code).toBe(64);
    expect(readdirSync(state)).toEqual([]);
  });
});

describe('gatehouse logout', () => {
  it('revokes the refresh token and forgets, but for where to sign in again', async () => {
    const server = await signedIn();
    const refreshToken = files.read('corp')?.refreshToken?.reveal();
    expect(await runCli('logout')).toMatchObject({ code: 0, out: '' });
    expect(server.revoked).toEqual([refreshToken]);
    expect(readFileSync(join(files.folder, 'corp.json'), 'utf8')).not.toMatch(/rt-|at-/);
    expect((await runCli('token')).code).toBe(4);
    expect((await runLogin(['--profile', 'corp'], { environment: { XDG_STATE_HOME: state } })).exitCode).toBe(0);
    expect((await runCli('token')).code).toBe(0);
    expect((await runCli('logout', '--all', '--forget')).code).toBe(0);
    expect(files.names()).toEqual([]);
  });

  it('revokes all the same where the file cannot be changed, and says that it stays', async () => {
    const server = await signedIn();
    const { locks } = files;
    rmSync(locks, { recursive: true, force: true });
    writeFileSync(locks, '');
    // A folder in the draft's place to sweep: it can be unlinked by nobody, not by root either.
    const stuck = join(files.folder, 'corp.json.x.draft');
    mkdirSync(stuck);
    utimesSync(stuck, 0, 0);
    const run = await runCli('logout');
    expect([run.code, run.err]).toEqual([1, expect.stringContaining('signed out at the server, but its file')]);
    expect(server.revoked).toHaveLength(1);
  });

  it('has forgotten before the server is asked, and claims no revocation where there was nothing to revoke', async () => {
    const server = await signedIn();
    const kept: unknown[] = [];
    const push = server.revoked.push.bind(server.revoked);
    server.revoked.push = (...tokens) => {
      kept.push(files.read('corp')?.refreshToken);
      return push(...tokens);
    };
    await runCli('logout');
    expect(kept).toEqual([undefined]);
    const again = await runCli('logout');
    expect([again.code, again.err]).toEqual([0, expect.not.stringContaining('at the server')]);
  });

  it('forgets also where the server is gone, and says so', async () => {
    const server = await signedIn();
    await server.close();
    const run = await runCli('logout', '--profile', 'corp');
    expect([run.code, run.err]).toEqual([69, expect.stringContaining('the server was not told')]);
    expect(files.read('corp')?.refreshToken).toBeUndefined();
  });

  it('says where a server has no way to revoke', async () => {
    await signedIn({ metadata: { revocation_endpoint: undefined } });
    expect((await runCli('logout')).err).toContain('revocation_endpoint');
  });

  it('knows a profile that is not there', async () => {
    expect(await runCli('logout', '--profile', 'nobody')).toMatchObject({ code: 1 });
  });
});

describe('gatehouse profiles', () => {
  it('lists names, servers and ends, and no secrets', async () => {
    const server = await signedIn();
    const { out, code } = await runCli('profiles');
    expect([code, out]).toEqual([0, expect.stringMatching(/corp +http.+cli .*renews by itself/)]);
    const { out: json } = await runCli('profiles', '--json');
    expect(JSON.parse(json)).toMatchObject([{ profile: 'corp', issuer: `${server.issuer}/`, client_id: 'cli' }]);
    expect(out + json).not.toMatch(/rt-|at-/);
  });

  it('tells of one that cannot be trusted, and lists the others', async () => {
    await signedIn();
    writeFileSync(join(files.folder, 'broken.json'), '{', { mode: 0o600 });
    const run = await runCli('profiles');
    expect([run.code, run.out, run.err]).toEqual([
      1,
      expect.stringContaining('corp'),
      expect.stringContaining('broken.json is broken off'),
    ]);
  });
});

describe('a helper gives the token to no other host', () => {
  it.each([
    'git.example.com/.evil.com',
    'git.example.com\\.evil.com',
    'git.example.com?.evil.com',
    'a@git.example.com',
  ])('%s', (host) => {
    expect(isMeant('https', host, ['git.example.com'])).toBe(false);
    expect(isMeant('https', 'git.example.com', ['git.example.com'])).toBe(true);
  });
});
