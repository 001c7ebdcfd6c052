import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdtempSync, readdirSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as delay } from 'node:timers/promises';
import { expect, it } from 'vitest';
import { profileFiles } from '../../src/cli/profiles/profile-files.ts';
import { freshToken } from '../../src/cli/token/fresh-token.ts';
import { runLogin } from '../support/broker/login-run.ts';
import { startRotatingServer } from '../support/broker/rotating-server.ts';
import { record } from './fault-row.ts';
import { sizeOf } from './sizes.ts';

/** A lock that a killed process held, and its draft of it, may cost this much and no more. */
const MAX_WAIT_MS = 5000;

it('gatehouse token, killed at each call that changes files, loses no sign-in', async () => {
  const times = sizeOf('TOKEN_KILLS');
  const server = await startRotatingServer({ redelivers: true });
  const state = mkdtempSync(join(tmpdir(), 'gatehouse-state-'));
  const args = ['--profile', 'corp', '--issuer', server.issuer, '--client-id', 'cli'];
  await runLogin(args, { environment: { XDG_STATE_HOME: state } });
  const files = profileFiles(join(state, 'gatehouse'));

  /** Whether it was killed: a process that came to its end had no such call. */
  const killedInRefresh = async (at: string): Promise<boolean> => {
    const kept = files.read('corp');
    if (kept !== undefined) files.write({ ...kept, tokens: [] });
    const cli = join(import.meta.dirname, '../../src/cli/gatehouse.ts');
    const preload = join(import.meta.dirname, 'kill-at-file-call.mjs');
    const child = spawn(process.execPath, ['--import', 'tsx', '--import', preload, cli, 'token', '--profile', 'corp'], {
      env: { ...process.env, XDG_STATE_HOME: state, GATEHOUSE_KILL_AT: at },
      stdio: 'ignore',
    });
    const [, signal] = (await once(child, 'exit')) as [number | null, string | null];
    return signal === 'SIGKILL';
  };
  /** The next caller, after whatever was left. */
  const nextCaller = () => {
    const deps = {
      ...{ files, environment: {}, fetch, now: Date.now, signal: new AbortController().signal },
      sleep: (milliseconds: number) => delay(milliseconds),
    };
    return freshToken(deps, 'corp', { scopes: [], resources: [] }, { minValidMs: 60_000, wantsIdToken: false });
  };

  let kills = 0;
  let longestMs = 0;
  const outcomes = new Set<string>();
  try {
    while (kills < times) {
      // Each call, before and after it, until a process comes to its end.
      for (let point = 2; await killedInRefresh(`${point >> 1}:${point % 2 === 0 ? 'before' : 'after'}`); point += 1) {
        kills += 1;
        const beganMs = Date.now();
        outcomes.add((await nextCaller()).outcome);
        longestMs = Math.max(longestMs, Date.now() - beganMs);
      }
    }
  } finally {
    await server.close();
  }
  const left = readdirSync(files.folder).filter((file) => file.endsWith('.json'));
  record({
    group: 'Kept tokens',
    fault: '`gatehouse token` is killed in a refresh, at each call that changes files, before and after it',
    times: kills,
    device: `the next caller: ${[...outcomes].join(', ')}`,
    person: 'is not asked',
    recovery: `at most ${(Math.ceil(longestMs / 100) / 10).toFixed(1)} s later`,
  });
  expect([...outcomes]).toEqual(['token']);
  expect(server.seen.reused).toBe(0);
  expect(left).toEqual(['corp.json']);
  expect(longestMs).toBeLessThan(MAX_WAIT_MS);
  expect(kills).toBeGreaterThanOrEqual(times);
});
