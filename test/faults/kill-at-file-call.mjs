/**
 * Loaded before a command (`node --import`): the process kills itself at its n-th call that changes files, before or after
 * it, so that each state that a crash can leave is left once. `GATEHOUSE_KILL_AT=n:before|after`.
 */
import fs from 'node:fs';
import { syncBuiltinESMExports } from 'node:module';

const [at, moment] = (process.env.GATEHOUSE_KILL_AT ?? '').split(':');
const state = process.env.XDG_STATE_HOME ?? '/nowhere';
let calls = 0;

/** Calls on the folder of kept tokens, and on a descriptor of one of its files. */
const descriptors = new Set();
for (const name of [
  'openSync',
  'writeFileSync',
  'fsyncSync',
  'closeSync',
  'renameSync',
  'unlinkSync',
  'linkSync',
  'utimesSync',
  'mkdirSync',
]) {
  const real = fs[name];
  fs[name] = (first, ...rest) => {
    const isOurs = typeof first === 'number' ? descriptors.has(first) : String(first).startsWith(state);
    if (!isOurs) return real(first, ...rest);
    calls += 1;
    const isHere = String(calls) === at;
    if (isHere && moment === 'before') process.kill(process.pid, 'SIGKILL');
    const result = real(first, ...rest);
    if (name === 'openSync') descriptors.add(result);
    if (name === 'closeSync') descriptors.delete(first);
    if (isHere && moment === 'after') process.kill(process.pid, 'SIGKILL');
    return result;
  };
}
syncBuiltinESMExports();
