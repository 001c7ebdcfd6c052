import { Writable } from 'node:stream';
import { setImmediate as nextTurn } from 'node:timers/promises';
import { describe, expect, it } from 'vitest';
import type { RedisClient } from '../../../src/storage/redis/redis-client.ts';
import { TurnWrites } from '../../../src/storage/redis/turn-writes.ts';

function connection() {
  const writes: string[] = [];
  const stream = new Writable({
    decodeStrings: false,
    write(chunk: string, _encoding, done) {
      writes.push(chunk);
      done();
    },
    writev(chunks, done) {
      writes.push(chunks.map(({ chunk }) => String(chunk)).join(''));
      done();
    },
  });
  const client = { stream };
  const turnWrites = new TurnWrites(client as unknown as RedisClient);
  const send = (command: string) => {
    turnWrites.hold();
    client.stream.write(command);
  };
  return { client, writes, send };
}

describe('the commands of one turn of the event loop', () => {
  it('are one write, in their order', async () => {
    const { writes, send } = connection();
    for (const command of ['a', 'b', 'c']) send(command);
    expect(writes).toEqual([]);
    await nextTurn();
    expect(writes).toEqual(['abc']);
  });

  it('and those of the next another one', async () => {
    const { writes, send } = connection();
    send('a');
    await nextTurn();
    send('b');
    send('c');
    await nextTurn();
    expect(writes).toEqual(['a', 'bc']);
  });

  it('go on over a connection that took the place of one that broke', async () => {
    const first = connection();
    first.send('a');
    first.client.stream.destroy();
    const next = connection();
    first.client.stream = next.client.stream;
    await nextTurn();
    first.send('b');
    await nextTurn();
    expect(next.writes).toEqual(['b']);
  });
});
