import { connect } from 'node:net';
import { startEmbeddedUpstream } from '../demo/embedded-upstream.ts';
import { POLLS, startBroker } from './broker-process.ts';
import type { Row } from './poll-rows.ts';
import { freePort, type startRedis } from './redis-server.ts';

const STARTS = 5;
const AT_ONCE = 8;
const IDLE_CONNECTIONS = 40;

export interface SignInRounds {
  /** Before anything is measured: V8 compiles what runs often, and a broker that runs for years has done so long ago. */
  warmUp: number;
  measured: number;
  idleSeconds: number;
}

/** What one core is worth in whole sign-ins and refreshes. */
export interface SignInCosts {
  name: string;
  signInMs: number;
  /** Eight at once. */
  signInAtOnceMs: number;
  refreshMs: number;
}

/** Start-up, a whole sign-in, and connections that sit idle for longer than any interval. */
export async function signInRows(
  rounds: SignInRounds,
  redis: Awaited<ReturnType<typeof startRedis>>,
): Promise<{ rows: Row[]; costs: SignInCosts[]; commands: number }> {
  const port = await freePort();
  const upstream = await startEmbeddedUpstream({
    port: 0,
    clients: [{ clientId: 'gatehouse', redirectUris: [`http://127.0.0.1:${port}/callback/corp`] }],
  });
  const memory = { port, issuer: upstream.issuer };
  try {
    const startMs: number[] = [];
    for (let turn = 0; turn < STARTS; turn += 1) {
      const started = await startBroker(memory);
      startMs.push(started.startedInMs);
      await started.stop();
    }
    const onMemory = await costsOf('memory', memory, rounds);
    const onRedis = await costsOf('Redis', { ...memory, redisUrl: redis.url }, rounds);
    const counting = await startBroker({ ...memory, redisUrl: redis.url });
    await counting.signIn();
    const commands = await redis.commandsDuring(() => counting.signIn());
    await counting.stop();
    const broker = await startBroker(memory);
    const lost = await lostAfterIdle(port, rounds.idleSeconds);
    await broker.stop();
    const signIn = `a whole sign-in (start, ${POLLS} polls, code, upstream, approve, redeem), CPU of Gatehouse`;
    const idle = `polls lost of ${IDLE_CONNECTIONS} on connections that were idle for ${rounds.idleSeconds} s`;
    return {
      rows: [
        atMost('start-up to listening, memory driver', startMs.sort((a, b) => a - b)[STARTS >> 1] ?? Number.NaN, 400),
        atMost(signIn, onMemory.signInMs, 15, 1),
        atMost(`${signIn}, on Redis`, onRedis.signInMs, 17, 1),
        atMost(`${signIn}, on Redis, ${AT_ONCE} at once`, onRedis.signInAtOnceMs, 9, 1),
        {
          what: `commands to Redis in a whole sign-in with ${POLLS} polls`,
          measured: String(commands),
          toReach: '≤ 45',
          isReached: commands <= 45,
        },
        { what: idle, measured: String(lost), toReach: '0', isReached: lost === 0 },
      ],
      costs: [onMemory, onRedis],
      commands,
    };
  } finally {
    await upstream.close();
  }
}

async function costsOf(
  name: string,
  at: Parameters<typeof startBroker>[0],
  { warmUp, measured }: SignInRounds,
): Promise<SignInCosts> {
  const broker = await startBroker(at);
  try {
    let token = '';
    const signIn = async () => {
      token = await broker.signIn();
    };
    const refresh = async () => {
      token = await broker.refresh(token);
    };
    await broker.cpuMsEach(warmUp, signIn);
    const signInMs = await broker.cpuMsEach(measured, signIn);
    const atOnce = () => Promise.all(Array.from({ length: AT_ONCE }, signIn));
    const signInAtOnceMs = (await broker.cpuMsEach(Math.ceil(measured / 2), atOnce)) / AT_ONCE;
    await broker.cpuMsEach(warmUp, refresh);
    return { name, signInMs, signInAtOnceMs, refreshMs: await broker.cpuMsEach(measured * 5, refresh) };
  } finally {
    await broker.stop();
  }
}

/** How many keep-alive connections no longer answer a second request after a pause. */
async function lostAfterIdle(port: number, idleSeconds: number): Promise<number> {
  const request = 'GET /jwks HTTP/1.1\r\nHost: 127.0.0.1\r\n\r\n';
  const answered = await Promise.all(
    Array.from({ length: IDLE_CONNECTIONS }, async () => {
      const socket = connect(port, '127.0.0.1');
      const next = () =>
        new Promise<boolean>((resolve) => {
          socket.once('data', () => resolve(true));
          socket.once('close', () => resolve(false));
          socket.once('error', () => resolve(false));
          socket.write(request);
        });
      await next();
      await new Promise((resolve) => setTimeout(resolve, idleSeconds * 1000));
      const isAnswered = await next();
      socket.destroy();
      return isAnswered;
    }),
  );
  return answered.filter((isAnswered) => !isAnswered).length;
}

function atMost(what: string, milliseconds: number, most: number, digits = 0): Row {
  return {
    what,
    measured: `${milliseconds.toFixed(digits)} ms`,
    toReach: `≤ ${most} ms`,
    isReached: milliseconds <= most,
  };
}
