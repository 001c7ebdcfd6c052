import { readFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, describe, expect, it } from 'vitest';
import { findServer } from '../../src/cli/conformance/find-server.ts';
import { judgeServer } from '../../src/cli/conformance/judge-server.ts';
import { type Approach, askFor, ServerUnderTest } from '../../src/cli/conformance/server-under-test.ts';
import { runCli } from '../support/broker/run-cli.ts';
import { createTestBroker, type TestBroker } from '../support/broker/test-broker.ts';

const SECRET = 'kq3vY0m1PzW8sD5xH2nR7t';

const opened: TestBroker[] = [];
afterEach(async () => {
  for (const broker of opened.splice(0)) await broker.close();
});

async function open(client: Record<string, unknown>) {
  const common = { lifetimes: { code: '20s' }, ...client };
  const broker = await createTestBroker({
    yaml: {
      clients: {
        judged: { name: 'Judged', ...common },
        other: { name: 'Another' },
        secretive: { name: 'With a secret', client_secret: { env: 'SECRETIVE' }, ...common },
      },
    },
    environment: { SECRETIVE: SECRET },
  });
  opened.push(broker);
  return broker;
}

describe('Gatehouse, judged from outside', () => {
  it.each([
    ['a public client', { clientId: 'judged', otherClientId: 'other' }, ['endpoints.tls', 'client-authentication']],
    [
      'a client with a secret',
      { clientId: 'secretive', otherClientId: 'other', clientSecret: SECRET },
      ['endpoints.tls'],
    ],
  ])('does all that it must and should, for %s', async (_, client, unseen) => {
    const broker = await open({});
    const { publicUrl } = broker;
    const approach: Approach = {
      ...{ issuer: publicUrl, scopes: [], starts: 20, waitSeconds: 60, fetch, now: Date.now, ...client },
      decide: ({ userCode }, action) => (action === 'deny' ? broker.deny(userCode) : broker.approve(userCode)),
      sleep: (milliseconds) => broker.advance(milliseconds),
    };
    const found = await findServer(new URL(publicUrl), {}, (address) => askFor(fetch, address));
    const results = await judgeServer(new ServerUnderTest(approach, found), 1);
    const odd = results.filter(({ verdict }) => verdict !== 'holds');
    expect(odd.filter(({ check }) => !unseen.some((id) => check.id.endsWith(id)))).toEqual([]);
    expect(odd.every(({ verdict }) => verdict === 'cannot be seen')).toBe(true);
  });

  it('is judged by the command, with a person who is a command too', async () => {
    const broker = await open({ interval: '1s' });
    const [json, junit] = ['results.json', 'results.xml'].map((name) => join(tmpdir(), `${process.pid}-${name}`));
    const { code, out, err } = await runCli(
      ...['conformance', '--issuer', broker.publicUrl, '--client-id', 'judged', '--starts', '3', '--wait', '2'],
      ...['--approve-with', 'test "$ACTION-$USER_CODE" = no', '--json', json ?? '', '--junit', junit ?? ''],
    );
    expect(err).toMatch(/^45 checks, about \d+ s, at most 300 requests/);
    expect(out).toContain('cannot be seen  must   decision.denied');
    expect(out).toContain('--approve-with could not deny: it ended with 1');
    expect(code).toBe(0);
    const { summary } = JSON.parse(await readFile(json ?? '', 'utf8')) as { summary: Record<string, number> };
    expect(summary).toMatchObject({ must_fails: 0, should_fails: 0 });
    expect(await readFile(junit ?? '', 'utf8')).toContain('failures="0"');
  });

  it('is not found where it is not: exit 1, and what to do', async () => {
    const { code, err } = await runCli('conformance', '--issuer', 'http://127.0.0.1:1', '--client-id', 'x');
    expect([code, err]).toEqual([1, expect.stringContaining('gatehouse conformance: fetch failed')]);
  });
});
