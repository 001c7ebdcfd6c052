import { expect, it } from 'vitest';
import { approve } from '../demo/scripted-person.ts';
import { HostileConnection } from '../fuzz/hostile-connection.ts';
import { KeepAliveDevice } from '../test/support/keep-alive-device.ts';
import { startRedisServer } from '../test/support/redis.ts';
import { startReplicas } from '../test/support/replicas.ts';
import { DEVICE_CODE_GRANT } from '../test/support/test-device.ts';
import { record, summed } from './fault-row.ts';

const ROUNDS = Number(process.env['FAULT_TIMES'] ?? 50);
const POLLS_PER_REPLICA = 100;

it('an approved code that is polled by all at once, at three replicas, is redeemed once (F1)', async () => {
  const redis = await startRedisServer();
  const replicas = await startReplicas({ redis });
  const connections = replicas.running.flatMap(({ origin }) =>
    Array.from({ length: POLLS_PER_REPLICA }, () => new HostileConnection(Number(new URL(origin).port))),
  );
  const winners: number[] = [];
  const others = new Set<string>();
  try {
    for (let round = 0; round < ROUNDS; round += 1) {
      const { deviceCode, userCode } = await new KeepAliveDevice(replicas.origin).start();
      await approve(`${replicas.origin}/device`, userCode, 'alice');
      const form = { grant_type: DEVICE_CODE_GRANT, client_id: 'build-cli', device_code: deviceCode };
      const body = new URLSearchParams(form).toString();
      const head = `POST /token HTTP/1.1\r\nHost: x\r\nContent-Type: application/x-www-form-urlencoded\r\nContent-Length: ${body.length}`;
      const bytes = Buffer.from(`${head}\r\n\r\n${body}`);
      const outcomes = await Promise.all(
        connections.map((connection) => connection.send(bytes, { isHead: false, isLast: false })),
      );
      const answers = outcomes.map((outcome) => (outcome.end === 'answered' ? outcome.answers[0] : undefined));
      winners.push(answers.filter((answer) => answer?.status === 200).length);
      for (const answer of answers) {
        if (answer?.status !== 200) others.add(/"error":"(\w+)"/.exec(answer?.body ?? '')?.[1] ?? 'no answer');
      }
    }
  } finally {
    for (const connection of connections) connection.close();
    await replicas.stop();
    await redis.stop();
  }
  record({
    group: 'One redemption',
    fault: `${connections.length} polls of one approved code at once, at three replicas`,
    times: ROUNDS,
    device: `${summed(winners.map((count) => `${count} got tokens`))}; all others: ${[...others].join(', ')}`,
    person: 'nothing',
    recovery: 'nothing to do',
    violations: [],
  });
  expect(new Set(winners)).toEqual(new Set([1]));
  expect(others).toEqual(new Set(['invalid_grant']));
});
