import { expect, it } from 'vitest';
import { stopProgramsExcept } from '../../interop/program.ts';
import { startReplicas } from '../support/broker/replicas.ts';
import { type RollingRestart, rollReplicas } from '../support/broker/rolling-restart.ts';
import { startRedisServer } from '../support/redis/redis.ts';
import { record, summed } from './fault-row.ts';
import { obtainRealClients, REAL_CLIENTS_YAML } from './real-clients.ts';
import { sizeOf } from './sizes.ts';

const TIMES = sizeOf('ROLLING_TIMES');
const DEVICES = 100;
const OF_EACH_REAL_CLIENT = 5;

it('a rolling restart under a hundred polling devices, real clients among them, loses nobody', async () => {
  const clients = await obtainRealClients();
  const redis = await startRedisServer();
  const replicas = await startReplicas({ redis, yaml: REAL_CLIENTS_YAML });
  const runs: RollingRestart[] = [];
  try {
    for (let time = 0; time < TIMES; time += 1) {
      const real = Array.from({ length: OF_EACH_REAL_CLIENT }, () =>
        clients.map((client) => client.device(replicas.origin)),
      );
      runs.push(await rollReplicas(replicas, real.flat()));
    }
  } finally {
    await stopProgramsExcept([]);
    await replicas.stop();
    await redis.stop();
  }
  const troubles = runs.flatMap((run) => run.troubles);
  const polls = runs.reduce((sum, run) => sum + run.polls, 0);
  const served = runs.reduce((sum, run) => sum + run.served, 0);
  const seconds = runs.map((run) => run.seconds);
  const real = clients.map(({ name }) => `${OF_EACH_REAL_CLIENT} × ${name}`).join(', ');
  record({
    group: 'Rolling restart',
    fault: `three replicas replaced under ${DEVICES} devices, among them ${real}`,
    times: TIMES,
    device: `${served} of ${TIMES * DEVICES} devices got their tokens; ${polls} polls of our own, ${troubles.length} lost`,
    person: troubles.length === 0 ? 'nothing' : summed(troubles),
    recovery: `exit codes ${summed(runs.map((run) => run.exitCodes.join(' ')))}; ${Math.round(Math.min(...seconds))}–${Math.round(Math.max(...seconds))} s for all three`,
    ...(troubles.length > 0 && { violations: troubles }),
  });
  expect(troubles).toEqual([]);
  for (const run of runs) expect(run.served).toBe(DEVICES);
});
