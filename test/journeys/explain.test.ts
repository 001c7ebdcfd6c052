import { spawnSync } from 'node:child_process';
import { writeFileSync } from 'node:fs';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { approve, type VisitedPage } from '../../demo/scripted-person.ts';
import { PAGE_ADVICE } from '../../src/cli/explain/page-advice.ts';
import { StorageUnavailableError } from '../../src/ledger/ledger.ts';
import { runCli } from '../support/broker/run-cli.ts';
import { createTestBroker, type TestBroker, type TestBrokerOptions } from '../support/broker/test-broker.ts';
import type { FakeUpstream } from '../support/upstream/fake-upstream.ts';

let folder: string;
beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), 'gatehouse-explain-'));
});
afterAll(() => rm(folder, { recursive: true }));

function logOf({ lines }: TestBroker): string {
  const file = join(folder, `log-${lines.length}-${Math.random()}`);
  // Among the lines of another program.
  writeFileSync(file, ['nginx: started', ...lines.map((line) => JSON.stringify(line)), '{"not": "ours"}'].join('\n'));
  return file;
}

function referenceOn({ html }: VisitedPage): string {
  return /<p class="reference">[^<]*<code[^>]*>([^<]+)<\/code>/.exec(html)?.[1] ?? 'no reference';
}

/** A sign-in at a broker of its own, as far as it comes, and what is told of it. */
async function explained(
  options: TestBrokerOptions & { behaviour?: FakeUpstream['behaviour']; before?: (test: TestBroker) => void },
) {
  const test = await createTestBroker(options);
  try {
    const { body } = await test.device().start();
    if (options.behaviour !== undefined) test.upstream.behaviour = options.behaviour;
    options.before?.(test);
    const page = await approve(`${test.origin}/device`, body.user_code, 'alice');
    const reference = referenceOn(page);
    return { page, reference, ...(await runCli('explain', reference, '--log', logOf(test))) };
  } finally {
    await test.close();
  }
}

/** More than fits into a token. */
const MANY_GROUPS = { groups: Array.from({ length: 600 }, (_, at) => `department-${at}`) };

describe('gatehouse explain', () => {
  it('tells what was asked, where it went, what came back, why it stopped and what to change', async () => {
    const { out, code, reference } = await explained({
      behaviour: { token: { fault: { error: 'invalid_client', status: 401 } } },
    });
    expect(code).toBe(0);
    const story = [
      `Reference ${reference}`,
      /grant \S{8}, client build-cli, upstream corp/,
      /What happened\n {2}\S+Z {2}A device at 127\.0\.0\.1 asked for codes as the client build-cli, with the scopes openid\./,
      /Somebody at 127\.0\.0\.1 typed the right code\./,
      /The browser was sent to the upstream corp\./,
      /The way to corp and back failed \(client_rejected\): .*invalid_client.* {2}<- the reference/,
      /Why it stopped\n {2}The upstream corp does not accept Gatehouse’s own registration or credentials\./,
      /What to change\n {2}Compare client_id, client_secret/,
    ];
    for (const part of story) expect(out).toMatch(part);
  });

  it.each<[string, Parameters<typeof explained>[0], RegExp, RegExp]>([
    [
      'an upstream that is away',
      { behaviour: { token: { trouble: 'close' } } },
      /The upstream corp did not answer/,
      /`gatehouse check --probe` asks from here/,
    ],
    [
      'an account in no right group',
      { yaml: { clients: { 'build-cli': { approvers: { groups: ['release'] } } } } },
      /may not approve for build-cli: the client’s approvers/,
      /clients\.build-cli\.approvers/,
    ],
    [
      'an account of which there is too much to say',
      { yaml: { clients: { 'build-cli': { claims: ['groups'] } } }, behaviour: { idToken: { claims: MANY_GROUPS } } },
      /more than a token can carry/,
      /fewer groups/,
    ],
    [
      'a claim that does not come',
      {
        yaml: { clients: { 'build-cli': { approvers: { groups: ['release'] } } } },
        behaviour: { idToken: { claims: { groups: null } }, userinfo: { claims: { groups: null } } },
      },
      /did not send the claim/,
      /upstreams\.corp\.claims/,
    ],
    [
      'a storage that is away',
      {
        before(test) {
          const away = () => Promise.reject(new StorageUnavailableError('away', { cause: new Error('it hung') }));
          Object.assign(test.store.storage.ledger, { read: away });
        },
      },
      /Redis did not answer within three seconds\.\n.*because of Error: it hung/,
      /storage\.unavailable line/,
    ],
  ])('says why: %s', async (_what, options, why, change) => {
    const { out, code, page } = await explained(options);
    expect([code, page.status >= 400]).toEqual([0, true]);
    expect(out.split('Why it stopped')[1]).toMatch(why);
    expect(out.split('What to change')[1]).toMatch(change);
  });

  it('says that nothing stopped it, by the tag of the grant, a line’s reference in capitals, and from stdin', async () => {
    const test = await createTestBroker();
    const { body } = await test.device().start();
    await test.approveInBrowser(body.user_code);
    await test.device().poll(body.device_code);
    const file = logOf(test);
    const approved = test.lines.find(({ event }) => event === 'grant.approved');
    const [grant, requestId] = [approved?.['grant'], approved?.['requestId']];
    for (const reference of [grant, requestId, String(requestId).toUpperCase()]) {
      const { out, code } = await runCli('explain', String(reference), '--log', file);
      expect(code).toBe(0);
      expect(/approved at 127\.0\.0\.1\. {2}<- the reference\n/.test(out)).toBe(reference !== grant);
      expect(out).toContain('It did not: the device got its tokens.');
    }
    const gatehouse = join(import.meta.dirname, '../../src/cli/gatehouse.ts');
    const input = test.lines.map((line) => JSON.stringify({ log: `${JSON.stringify(line)}\n` })).join('\n');
    const piped = spawnSync(process.execPath, ['--import', 'tsx', gatehouse, 'explain', String(requestId)], {
      input,
      encoding: 'utf8',
    });
    expect(piped).toMatchObject({ status: 0, stdout: expect.stringContaining('the device got its tokens') });
    await test.close();
  });

  it('prints nothing that could move the cursor, whoever wrote it', async () => {
    const file = join(folder, 'hostile');
    const line = {
      level: 'info',
      time: 'x',
      event: 'page.refused',
      requestId: 'abc',
      reason: '\u001b[2Jgone',
      detail: '\u202eevil',
    };
    writeFileSync(file, JSON.stringify(line));
    const { out, code } = await runCli('explain', 'abc', '--log', file);
    expect(code).toBe(0);
    expect([out.includes('\u001b'), out.includes('\u202e')]).toEqual([false, false]);
  });

  it('says so where the reference is not in the log, or there is no such file', async () => {
    const file = join(folder, 'empty');
    writeFileSync(file, 'another program\n');
    expect(await runCli('explain', 'abc', '--log', file)).toMatchObject({
      code: 1,
      err: expect.stringContaining('log.level'),
    });
    expect(await runCli('explain', 'abc', '--log', join(folder, 'nowhere'))).toMatchObject({
      code: 1,
      err: expect.stringContaining('cannot be read'),
    });
    expect((await runCli('explain')).code).toBe(64);
  });

  it('has one line of why and of what to change for every page', () => {
    for (const { why, change } of Object.values(PAGE_ADVICE)) {
      expect([why, change].filter((text) => !/^[A-Z“].*[.?]$|^`/.test(text))).toEqual([]);
    }
  });
});
