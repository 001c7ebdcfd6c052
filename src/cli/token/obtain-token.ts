import { setTimeout as delay } from 'node:timers/promises';
import { processEnvironment } from '../../config/environment.ts';
import { complain } from '../complain.ts';
import { type AskedProfile, assertChosen, type ChosenProfile, chooseProfile } from '../profiles/choose-profile.ts';
import type { KeptToken, Need, Profile } from '../profiles/profile.ts';
import { profileFiles } from '../profiles/profile-files.ts';
import { ProfileFileError, stateFolder } from '../profiles/state-folder.ts';
import { type FreshToken, type FreshTokenDeps, freshToken } from './fresh-token.ts';
import { loginCommand, type MoreToAsk } from './login-command.ts';
import { TOKEN_EXIT } from './token-exit.ts';

export interface TokenOrder {
  /** Who complains. */
  command: string;
  asked: AskedProfile;
  /** In place of what the sign-in asked for. */
  more: MoreToAsk;
  need: Need;
  /** Whether a person may be asked, where one is at a terminal. */
  mayLogIn: boolean;
}

export type Obtained =
  | { outcome: 'token'; token: KeptToken; profile: Profile }
  /** Why is on stderr. */
  | { outcome: 'none'; exitCode: number };

/** A token that is good now, by whatever it takes; else the reason on stderr, and the exit code. */
export async function obtainToken(order: TokenOrder): Promise<Obtained> {
  const environment = processEnvironment();
  try {
    const files = profileFiles(stateFolder(environment));
    const chosen = await chooseProfile(order.asked, { files, environment, folder: process.cwd() });
    assertChosen(chosen, files);
    const deps: FreshTokenDeps = {
      ...{ files, environment, now: Date.now, fetch },
      sleep: (milliseconds) => delay(milliseconds),
      signal: new AbortController().signal,
    };
    const found = await askKept(deps, chosen, order);
    return found.outcome === 'sign in' ? await withPerson(deps, chosen, order, found.reason) : told(found, order);
  } catch (error) {
    if (!(error instanceof ProfileFileError)) throw error;
    complain(order.command, error.message);
    return { outcome: 'none', exitCode: TOKEN_EXIT.error };
  }
}

async function askKept(deps: FreshTokenDeps, chosen: ChosenProfile, { more, need }: TokenOrder): Promise<FreshToken> {
  const kept = deps.files.read(chosen.name);
  if (kept === undefined) return { outcome: 'sign in', reason: 'Nobody has signed in here yet.' };
  const wish = { scopes: more.scopes ?? kept.scopes, resources: more.resources ?? kept.resources };
  return freshToken(deps, chosen.name, wish, need);
}

function told(found: Exclude<FreshToken, { outcome: 'sign in' }>, { command }: TokenOrder): Obtained {
  if (found.outcome === 'token') return found;
  complain(command, found.reason);
  return { outcome: 'none', exitCode: found.outcome === 'away' ? TOKEN_EXIT.away : TOKEN_EXIT.error };
}

async function withPerson(
  deps: FreshTokenDeps,
  chosen: ChosenProfile,
  order: TokenOrder,
  reason: string,
): Promise<Obtained> {
  const hasPerson = process.stdin.isTTY === true && process.stderr.isTTY === true;
  if (!order.mayLogIn || !hasPerson) {
    complain(order.command, `${reason} A person must sign in:\n  ${loginCommand(chosen, order.more)}`);
    return { outcome: 'none', exitCode: TOKEN_EXIT.needsPerson };
  }
  const { logInOnce } = await import('./log-in-once.ts');
  const exitCode = await logInOnce(deps, chosen, order.more, async () => {
    return (await askKept(deps, chosen, order)).outcome === 'token';
  });
  if (exitCode !== TOKEN_EXIT.printed) return { outcome: 'none', exitCode };
  const found = await askKept(deps, chosen, order);
  if (found.outcome !== 'sign in') return told(found, order);
  complain(order.command, found.reason);
  return { outcome: 'none', exitCode: TOKEN_EXIT.needsPerson };
}
