import { expect, it } from 'vitest';
import { startRedisServer } from '../test/support/redis.ts';
import { startReplicas } from '../test/support/replicas.ts';
import { type RollingRestart, rollReplicas } from '../test/support/rolling-restart.ts';
import { record, summed } from './fault-row.ts';
import { sizeOf } from './sizes.ts';

const TIMES = sizeOf('ROLLING_TIMES');
const DEVICES = 100;

it('a rolling restart under a hundred polling devices loses nobody', async () => {
  const redis = await startRedisServer();
  const replicas = await startReplicas({ redis });
  const runs: RollingRestart[] = [];
  try {
    for (let time = 0; time < TIMES; time += 1) runs.push(await rollReplicas(replicas, DEVICES));
  } finally {
    await replicas.stop();
    await redis.stop();
  }
  const troubles = runs.flatMap((run) => run.troubles);
  const polls = runs.reduce((sum, run) => sum + run.polls, 0);
  const seconds = runs.map((run) => run.seconds);
  record({
    group: 'Rolling restart',
    fault: `${3 * TIMES} replicas replaced under ${DEVICES} devices`,
    times: TIMES,
    device: `${polls} polls, ${troubles.length} lost; ${runs.reduce((sum, run) => sum + run.served, 0)} of ${TIMES * DEVICES} devices got their tokens`,
    person: troubles.length === 0 ? 'nothing' : summed(troubles),
    recovery: `exit codes ${summed(runs.map((run) => run.exitCodes.join(' ')))}; ${Math.round(Math.min(...seconds))}–${Math.round(Math.max(...seconds))} s for all three`,
    violations: [],
  });
  expect(troubles).toEqual([]);
  for (const run of runs) expect(run.served).toBe(DEVICES);
});
