import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { redisForTests, type TestRedis } from '../support/redis/redis.ts';
import { movableMemory, movableRedis, type TestStore } from '../support/redis/storage-under-test.ts';
import { type Domain, loadDomain } from './domain.ts';
import { drawn, type Explored, exploreAll, exploreAtRandom } from './explore.ts';
import { ModelLedger } from './model-ledger.ts';
import { MUTANTS, mutated } from './mutants.ts';
import { playing } from './play.ts';
import { differenceAt } from './replay.ts';
import { SCENARIOS } from './scenarios.ts';
import type { TraceStep } from './scheduler.ts';

/** The quick part looks at the shortest schedules; `npm run model` at all of them, and at longer ones at random. */
const isFull = process.env['MODEL'] === 'full';
const MOST = isFull ? { states: 20_000, depth: 200 } : { states: 300, depth: 200 };
const RANDOM_RUNS = isFull ? 3000 : 60;
const RANDOM_FAULTS = 3;
const REPLAYS = isFull ? 100 : 3;
const SEED = isFull ? Date.now() % 1_000_000 : 1;

describe('the ledger, model-checked: every order of verbs over the real domain code', () => {
  let domain: Domain;
  beforeAll(async () => {
    domain = await loadDomain(join(import.meta.dirname, '../../src'));
  });

  describe.each(SCENARIOS)('$name', (scenario) => {
    it('keeps the invariants in every schedule', async () => {
      const { play } = await playing(scenario, { domain, Ledger: ModelLedger });
      const explored = await exploreAll(play, MOST);
      tell(scenario.name, explored);
      expect(storyOf(explored)).toBe('');
      if (isFull) expect(explored.isWhole || explored.states >= MOST.states).toBe(true);
    });

    it('keeps them in long schedules with more faults, drawn at random', async () => {
      const faulty = { ...scenario, faults: RANDOM_FAULTS, isLossless: false };
      const { play } = await playing(faulty, { domain, Ledger: ModelLedger });
      expect(storyOf(await exploreAtRandom(play, RANDOM_RUNS, SEED))).toBe('');
    });
  });

  it('keeps them in a schedule that they did not survive once: the storage is away right after the upstream’s answer', async () => {
    const scenario = SCENARIOS.find(({ name }) => name === 'two refreshes with one token, where the upstream is asked');
    if (scenario === undefined) throw new Error('the scenario of the seed is gone');
    const faulty = { ...scenario, faults: RANDOM_FAULTS, isLossless: false };
    const { play } = await playing(faulty, { domain, Ledger: ModelLedger });
    expect(storyOf(await exploreAtRandom(play, 1, 857687))).toBe('');
  });

  describe('finds what is built in', () => {
    it.each(MUTANTS)('$name', async (mutant) => {
      const scenario = SCENARIOS.find(({ name }) => name.startsWith(mutant.scenario));
      if (scenario === undefined) throw new Error(`no scenario is called ${mutant.scenario}`);
      const { play } = await playing(scenario, await mutated(mutant, domain));
      const explored = await exploreAll(play, { states: 60_000, depth: 200 });
      expect(explored.found?.violation).toContain(mutant.found);
    });
  });

  describe('the drivers do what the model does', () => {
    let redis: Pick<TestRedis, 'settings' | 'stop'>;
    const stores: Record<string, TestStore> = {};
    beforeAll(async () => {
      redis = await redisForTests();
      stores['memory'] = await movableMemory();
      stores['Redis'] = await movableRedis(redis.settings());
    });
    afterAll(async () => {
      for (const store of Object.values(stores)) await store.close();
      await redis.stop();
    });

    it.each(SCENARIOS)('$name', async (scenario) => {
      for (let n = 0; n < REPLAYS; n += 1) {
        for (const [driver, store] of Object.entries(stores)) {
          const record = async (): Promise<readonly TraceStep[]> => {
            const nowMs = await store.storage.ledger.now();
            const { play, stage } = await playing({ ...scenario, faults: 2 }, { domain, Ledger: ModelLedger }, nowMs);
            const { trace } = await play(drawn(SEED + n));
            return [...stage.before, ...trace];
          };
          expect({ driver, difference: await differenceAt(store, record) }).toEqual({ driver });
        }
      }
    });
  });
});

function tell(name: string, { states, depth, isWhole }: Explored): void {
  const ended = isWhole ? 'all of them' : 'as many as were asked for';
  if (isFull) console.log(`${name}: ${states} states, ${depth} deep, ${ended}`);
}

/** What went wrong, and how it came to that, a verb a line; '' where nothing did. */
function storyOf({ found }: Explored): string {
  if (found === undefined) return '';
  const steps = found.trace.map(({ caller, verb, args, fault, result }, index) => {
    const asked = JSON.stringify(args).slice(0, 160);
    return `${index + 1}. ${caller}: ${verb} ${asked}${fault === 'ok' ? '' : ` [${fault}]`} → ${JSON.stringify(result)?.slice(0, 160)}`;
  });
  return [found.violation, ...steps].join('\n');
}
