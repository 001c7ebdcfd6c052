import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { startEmbeddedUpstream } from '../demo/embedded-upstream.ts';
import { type BrokerAt, startBroker } from './broker-process.ts';
import { startSubject } from './measure.ts';
import type { Row } from './poll-rows.ts';
import { freePort, type startRedis } from './redis-server.ts';

/** Devices that refresh at the same time; one of them alone is told too. */
const AT_ONCE = 8;
/** Noise only ever adds, so the best turn counts. */
const TURNS = 10;

export interface RefreshRounds {
  /** Refreshes of each device before anything is measured. */
  warmUp: number;
  /** Refreshes of each device in one turn. */
  measured: number;
}

export interface RefreshCost {
  name: string;
  /** Processor time of the process for one, with eight at once and with one at a time. */
  atOnceMs: number;
  aloneMs: number;
  /** To Redis. A device that comes later than `refresh_grace` sends one less. */
  commands: number;
}

interface Kind {
  name: string;
  /** The most that one may take, with eight at once. */
  mostMs?: number;
  client?: string;
  upstream?: string;
  claimsInIdToken?: boolean;
}

const NOT_MEASURED = { atOnceMs: Number.POSITIVE_INFINITY, aloneMs: Number.POSITIVE_INFINITY, commands: 2 };

const TWO_CALLS: Kind = { name: 'two upstream calls, 2 × RS256' };
const KINDS: readonly Kind[] = [
  TWO_CALLS,
  { name: 'one upstream call, 2 × ES256', mostMs: 1, client: 'signing_alg: ES256', claimsInIdToken: true },
  { name: 'nobody asked, 2 × ES256', mostMs: 0.5, client: 'signing_alg: ES256', upstream: 'recheck: 1h' },
];

/** Refreshes against the least that one can cost, measured in turns in the same run. */
export async function refreshRows(
  redis: Awaited<ReturnType<typeof startRedis>>,
  rounds: RefreshRounds,
): Promise<{ rows: Row[]; costs: RefreshCost[]; kinds: RefreshCost[] }> {
  const costs = new Map<string, RefreshCost>();
  const floor = await startFloor(redis.url);
  try {
    for (const kind of KINDS) {
      const running = await startKind(kind, redis.url);
      try {
        await measureTurns([floor, running], rounds, costs);
        const cost = costs.get(kind.name);
        if (cost !== undefined) cost.commands = await redis.commandsDuring(() => running.refresh(0));
      } finally {
        await running.stop();
      }
    }
  } finally {
    await floor.stop();
  }
  const atOnce = (name: string) => costs.get(name)?.atOnceMs ?? Number.NaN;
  const times = atOnce(TWO_CALLS.name) / atOnce(floor.name);
  return {
    rows: [
      {
        what: `a refresh with ${TWO_CALLS.name}, ${AT_ONCE} at once, against 1 × RS256, 2 posts and 2 scripts`,
        measured: `${times.toFixed(2)} × (${atOnce(TWO_CALLS.name).toFixed(2)} ms)`,
        toReach: '≤ 3 ×',
        isReached: times <= 3,
      },
      ...KINDS.flatMap(({ name, mostMs }) => (mostMs === undefined ? [] : [atMost(name, atOnce(name), mostMs)])),
    ],
    costs: [...costs.values()],
    kinds: KINDS.flatMap(({ name }) => costs.get(name) ?? []),
  };
}

function atMost(name: string, milliseconds: number, most: number): Row {
  return {
    what: `a refresh with ${name}, ${AT_ONCE} at once`,
    measured: `${milliseconds.toFixed(2)} ms`,
    toReach: `≤ ${most} ms`,
    isReached: milliseconds <= most,
  };
}

/** What refreshes, and what that cost its process so far. */
interface Refreshing {
  name: string;
  cpuMs(): Promise<number>;
  refresh(device: number): Promise<void>;
  stop(): Promise<void>;
}

async function measureTurns(
  subjects: readonly Refreshing[],
  { warmUp, measured }: RefreshRounds,
  costs: Map<string, RefreshCost>,
): Promise<void> {
  for (const subject of subjects) await refreshAll(subject, AT_ONCE, warmUp);
  for (let turn = 0; turn < TURNS; turn += 1) {
    for (const subject of subjects) {
      const atOnceMs = await refreshAll(subject, AT_ONCE, measured);
      const aloneMs = await refreshAll(subject, 1, measured * 4);
      const { name } = subject;
      const known = costs.get(name) ?? NOT_MEASURED;
      costs.set(name, {
        ...known,
        name,
        atOnceMs: Math.min(known.atOnceMs, atOnceMs),
        aloneMs: Math.min(known.aloneMs, aloneMs),
      });
    }
  }
}

/** Processor time of one refresh, with so many devices at once that refresh so often. */
async function refreshAll({ cpuMs, refresh }: Refreshing, devices: number, times: number): Promise<number> {
  const before = await cpuMs();
  await Promise.all(
    Array.from({ length: devices }, async (_, device) => {
      for (let n = 0; n < times; n += 1) await refresh(device);
    }),
  );
  return ((await cpuMs()) - before) / (devices * times);
}

async function startKind(
  { name, claimsInIdToken, client, upstream: keys }: Kind,
  redisUrl: string,
): Promise<Refreshing> {
  const port = await freePort();
  const upstream = await startEmbeddedUpstream({
    port: 0,
    clients: [{ clientId: 'gatehouse', redirectUris: [`http://127.0.0.1:${port}/callback/corp`] }],
    ...(claimsInIdToken !== undefined && { claimsInIdToken }),
  });
  const at: BrokerAt = { port, issuer: upstream.issuer, redisUrl };
  const broker = await startBroker({
    ...at,
    ...(client !== undefined && { client }),
    ...(keys !== undefined && { upstream: keys }),
  });
  const tokens: string[] = [];
  for (let device = 0; device < AT_ONCE; device += 1) tokens.push(await broker.signIn());
  return {
    name,
    cpuMs: async () => broker.cpuMs(),
    async refresh(device) {
      tokens[device] = await broker.refresh(tokens[device] ?? '');
    },
    async stop() {
      await broker.stop();
      await upstream.close();
    },
  };
}

/** The floor, with an upstream that answers whatever it is asked with what a token answer weighs. */
async function startFloor(redisUrl: string): Promise<Refreshing> {
  const answer = JSON.stringify({ access_token: 'a'.repeat(43), id_token: 'i'.repeat(600), expires_in: 600 });
  const upstream = createServer((request, response) => {
    request.resume().on('end', () => {
      response.writeHead(200, { 'Content-Type': 'application/json', 'Content-Length': answer.length }).end(answer);
    });
  });
  await new Promise<void>((resolve) => upstream.listen(0, '127.0.0.1', resolve));
  const at = `http://127.0.0.1:${(upstream.address() as AddressInfo).port}`;
  const running = await startSubject({ name: 'floor', script: 'refresh-floor', arguments: [redisUrl, at] });
  const address = `http://127.0.0.1:${running.prepared.port}/token`;
  return {
    name: 'the floor of a refresh: 1 × RS256, 2 posts, 2 scripts',
    cpuMs: async () => (await running.usage()).cpuMicroseconds / 1000,
    async refresh(device) {
      const form = { grant_type: 'refresh_token', client_id: 'tv', refresh_token: `${device}`.padEnd(91, 'x') };
      await (await fetch(address, { method: 'POST', body: new URLSearchParams(form) })).json();
    },
    async stop() {
      await running.stop();
      upstream.closeAllConnections();
      upstream.close();
    },
  };
}
