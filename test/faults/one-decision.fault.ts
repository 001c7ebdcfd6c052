import { setTimeout as delay } from 'node:timers/promises';
import { expect, it } from 'vitest';
import type { AnswerBody } from '../support/broker/test-device.ts';
import { atMost } from './at-most.ts';
import { decisionDeps } from './decision-deps.ts';
import { type RaceDeps, type RaceOutcome, type Rival, race } from './decision-race.ts';
import { record } from './fault-row.ts';
import { judgeRace } from './judge-race.ts';
import { sideBySide } from './side-by-side.ts';
import { sizeOf } from './sizes.ts';

const RACES = sizeOf('DECISION_RACES');
/** Most of them wait for the end of their code. */
const LANES = 60;
/** The loser sets out so much earlier the next time: a race that one always wins is none. */
const STEP_MS = 10;
const KINDS: readonly (readonly Rival[])[] = [
  ['approve', 'deny'],
  ['approve', 'kill'],
  ['approve', 'expire'],
  ['deny', 'expire'],
  ['approve', 'deny', 'expire', 'kill'],
];

it('of approve, deny, expire and kill one wins, and the log agrees with what the device got (F2)', async () => {
  const deps = await decisionDeps();
  const races: { rivals: readonly Rival[]; code: string; outcome: RaceOutcome }[] = [];
  const leads = new Map<readonly Rival[], number>();
  const secrets: string[] = [];
  const issued = new Map<string, AnswerBody[]>();
  // Signing in is what costs; a code that lives for seconds cannot queue for it.
  const signingIn = atMost(4);
  try {
    await sideBySide(RACES, LANES, async (time) => {
      const rivals = KINDS[time % KINDS.length] as readonly Rival[];
      const at: RaceDeps = await signingIn(() => deps.prepare(time, rivals.includes('expire')));
      const leadMs = leads.get(rivals) ?? 0;
      const outcome = await race(rivals, at, leadMs);
      const isFirst = rivals[0] === 'deny' ? /Denied/.test(outcome.pages.deny ?? '') : outcome.tokens.length > 0;
      leads.set(rivals, leadMs + (isFirst ? -STEP_MS : STEP_MS));
      const code = at.started.device_code;
      races.push({ rivals, code, outcome });
      issued.set(code, outcome.tokens);
      secrets.push(code, at.started.user_code);
      for (const { access_token: access, refresh_token: refresh } of outcome.tokens) secrets.push(access, refresh);
    });
    // The last lines of the logs are on their way.
    await delay(1000);
    const eventsOf = deps.events();
    const found = await deps.check({ secrets, issued });
    const judged = races.map(({ rivals, code, outcome }) => ({
      rivals,
      ...judgeRace(rivals, outcome, eventsOf(code)),
    }));
    const violations = [...found, ...judged.flatMap((each) => each.violations)];
    for (const rivals of KINDS) {
      const these = judged.filter((each) => each.rivals === rivals);
      const won = (winner: string) => these.filter((each) => each.winner === winner).length;
      const counts = ['approved', 'denied', 'expired', 'killed'].filter((each) => won(each) > 0);
      record({
        group: 'One decision',
        fault: rivals.join(' against '),
        times: these.length,
        device: counts.map((winner) => `${winner}: ${won(winner)}`).join(', '),
        person: 'what stands',
        recovery: 'the log has the decision and the redemption that the device heard of, and no other',
        violations: [...found, ...these.flatMap((each) => each.violations)],
      });
    }
    expect(violations).toEqual([]);
  } finally {
    await deps.stop();
  }
});
