import { expect, it } from 'vitest';
import { approve } from '../../demo/scripted-person.ts';
import { HostileConnection, type Outcome } from '../fuzz/hostile-connection.ts';
import { KeepAliveDevice } from '../support/broker/keep-alive-device.ts';
import { startReplicas } from '../support/broker/replicas.ts';
import { DEVICE_CODE_GRANT } from '../support/broker/test-device.ts';
import { startRedisServer } from '../support/redis/redis.ts';
import { record, summed } from './fault-row.ts';
import { sideBySide } from './side-by-side.ts';
import { sizeOf } from './sizes.ts';

const ROUNDS = sizeOf('REDEMPTION_ROUNDS');
const POLLS = sizeOf('REDEMPTION_POLLS');
/** Approved before they are polled; a code lives ten minutes, and a round takes seconds. */
const CODES_AT_ONCE = 10;

it('an approved code that is polled by all at once, at three replicas, is redeemed once (F1)', async () => {
  const redis = await startRedisServer();
  const replicas = await startReplicas({ redis });
  const ports = replicas.running.map(({ origin }) => Number(new URL(origin).port));
  const connections = Array.from({ length: POLLS }, (_, n) => new HostileConnection(ports[n % ports.length] as number));
  const approvedCode = async (): Promise<string> => {
    const { deviceCode, userCode } = await new KeepAliveDevice(replicas.origin).start();
    await approve(`${replicas.origin}/device`, userCode, 'alice');
    return deviceCode;
  };
  const winners: number[] = [];
  const others = new Set<string>();
  try {
    while (winners.length < ROUNDS) {
      const count = Math.min(CODES_AT_ONCE, ROUNDS - winners.length);
      for (const code of await sideBySide(count, 6, approvedCode)) {
        const poll = pollOf(code);
        let tokens = 0;
        // On a machine that is too busy for all these signatures all may come too late to be written: 503, and again.
        for (let tries = 0; tokens === 0 && tries < 5; tries += 1) {
          const outcomes = await Promise.all(
            connections.map((connection) => connection.send(poll, { isHead: false, isLast: false })),
          );
          const words = outcomes.map(wordOf);
          tokens += words.filter((word) => word === 'tokens').length;
          for (const word of new Set(words)) if (word !== 'tokens') others.add(word);
        }
        winners.push(tokens);
      }
    }
  } finally {
    for (const connection of connections) connection.close();
    await replicas.stop();
    await redis.stop();
  }
  record({
    group: 'One redemption',
    fault: 'an approved code is polled over many connections at once, at three replicas',
    times: ROUNDS,
    device: `${POLLS} polls each time: ${summed(winners.map((count) => `${count} got tokens`))}; all others: ${[...others].join(', ')}`,
    person: 'nothing',
    recovery: 'nothing to do',
    violations: winners.filter((count) => count !== 1).map((count) => `I1: ${count} token answers`),
  });
  expect(new Set(winners)).toEqual(new Set([1]));
  others.delete('temporarily_unavailable');
  expect([...others]).toEqual(['invalid_grant']);
});

function pollOf(deviceCode: string): Buffer {
  const form = { grant_type: DEVICE_CODE_GRANT, client_id: 'build-cli', device_code: deviceCode };
  const body = new URLSearchParams(form).toString();
  const head = `POST /token HTTP/1.1\r\nHost: 127.0.0.1\r\nContent-Type: application/x-www-form-urlencoded\r\nContent-Length: ${body.length}`;
  return Buffer.from(`${head}\r\n\r\n${body}`);
}

function wordOf(outcome: Outcome): string {
  const answer = outcome.end === 'answered' ? outcome.answers[0] : undefined;
  if (answer?.status === 200) return 'tokens';
  return /"error":"(\w+)"/.exec(answer?.body ?? '')?.[1] ?? `${outcome.end}, ${answer?.status ?? 'no answer'}`;
}
