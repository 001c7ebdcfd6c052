import { setTimeout as delay } from 'node:timers/promises';
import type { ScriptedPerson, VisitedPage } from '../../demo/scripted-person.ts';
import type { AnswerBody, DeviceAnswer, TestDevice } from '../support/broker/test-device.ts';

/** What may happen to a grant that a person has before them. */
export type Rival = 'approve' | 'deny' | 'expire' | 'kill';

/** The grant of one race, and who takes part in it. */
export interface RaceDeps {
  started: AnswerBody;
  /** By the storage's clock, as near as can be told from here: `performance.now()` at the end of the code. */
  endsAtMs: number;
  person: ScriptedPerson;
  confirm: VisitedPage;
  /** One at each replica. */
  devices: readonly Pick<TestDevice, 'poll' | 'refresh'>[];
  kill: () => Promise<void>;
}

export interface RaceOutcome {
  /** Token answers that the device got, all polls together. */
  tokens: AnswerBody[];
  /** What the device hears once everything is over, from each replica. */
  heard: string[];
  /** What the person's two tabs show. */
  pages: Partial<Record<Rival, string>>;
  /** What a refresh gets where there were tokens and a kill. */
  refreshed: string | undefined;
}

const SPREAD_MS = 15;

/**
 * Lets the rivals loose at about the same moment, while the device polls at every replica.
 *
 * @param leadMs how much earlier than the others the first of them sets out, or later where it is negative
 */
export async function race(rivals: readonly Rival[], deps: RaceDeps, leadMs: number): Promise<RaceOutcome> {
  const { started, person, confirm, devices } = deps;
  const code = started.device_code;
  const form = confirm.forms.find(({ buttons }) => buttons.some(({ name }) => name === 'decision'));
  if (form === undefined) throw new Error(`nothing to decide on: ${confirm.status} ${confirm.heading}`);
  const pages: RaceOutcome['pages'] = {};
  const decide = async (decision: 'approve' | 'deny'): Promise<void> => {
    pages[decision] = wordsOf(await person.submit(confirm, form, { decision }));
  };
  const doings: Record<Rival, () => Promise<unknown>> = {
    approve: () => decide('approve'),
    deny: () => decide('deny'),
    expire: () => delay(Math.max(0, deps.endsAtMs - performance.now())),
    kill: deps.kill,
  };
  if (rivals.includes('expire')) await delay(deps.endsAtMs - leadMs - performance.now());
  const soon = (rival: Rival) =>
    delay(Math.random() * SPREAD_MS + Math.max(0, rival === rivals[0] ? -leadMs : leadMs / (rivals.length - 1)));
  const polls: Promise<DeviceAnswer>[] = [];
  await Promise.all([
    ...rivals.map((rival) => soon(rival).then(doings[rival])),
    ...devices.map(async (device) => {
      await delay(Math.random() * (6 * SPREAD_MS + 2 * Math.max(0, leadMs)));
      const poll = device.poll(code);
      polls.push(poll);
      await poll;
    }),
  ]);
  const again = await Promise.all(devices.map((device) => device.poll(code)));
  const after = await Promise.all(devices.map((device) => device.poll(code)));
  const all = [...(await Promise.all(polls)), ...again, ...after];
  const tokens = all.filter(({ status }) => status === 200).map(({ body }) => body);
  const [first] = tokens;
  const refresh = first !== undefined && rivals.includes('kill') ? devices[0]?.refresh(first.refresh_token) : undefined;
  return { tokens, heard: after.map(wordOf), pages, refreshed: refresh && wordOf(await refresh) };
}

const wordOf = ({ status, body }: DeviceAnswer): string => (status === 200 ? 'tokens' : body.error);

const wordsOf = ({ status, heading }: VisitedPage): string => `${status} ${heading}`;
