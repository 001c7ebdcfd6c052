import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { setTimeout as delay } from 'node:timers/promises';
import type { Environment } from '../../config/environment.ts';
import { CannotBeSeenError } from './cannot-be-seen-error.ts';
import type { Decide } from './server-under-test.ts';

const MAX_SECONDS = 60;

/**
 * The person, as a command of the caller's. It gets the addresses and the code in its environment, and decides by ACTION;
 * how one signs in at a server, and what its pages ask, is nothing that a standard says.
 */
export function approveWith(command: string, environment: Environment): Decide {
  return async (start, action) => {
    const env = {
      ...environment,
      VERIFICATION_URI: start.verificationUri,
      VERIFICATION_URI_COMPLETE: start.verificationUriComplete ?? '',
      USER_CODE: start.userCode,
      ACTION: action,
    };
    const person = spawn(command, { shell: true, env, stdio: ['ignore', 'ignore', 'inherit'] });
    const over = new AbortController();
    const late = delay(MAX_SECONDS * 1000, 'late', { signal: over.signal }).catch(() => 'done');
    const ended = once(person, 'exit').then(([code, signal]: unknown[]) => code ?? signal);
    const outcome = await Promise.race([ended, late]);
    over.abort();
    if (outcome === 'late') person.kill('SIGKILL');
    if (outcome !== 0) throw new CannotBeSeenError(`--approve-with could not ${action}: ${saidBy(outcome)}`);
  };
}

function saidBy(outcome: unknown): string {
  return outcome === 'late' ? `not done within ${MAX_SECONDS} s` : `it ended with ${String(outcome)}`;
}
