import { ScriptedPerson } from '../../demo/scripted-person.ts';
import { grantId } from '../../src/grants/device-code.ts';
import { setMark } from '../../src/grants/revocation-marks.ts';
import { createSealing } from '../../src/sealing/sealing.ts';
import { Secret } from '../../src/sealing/secret.ts';
import { redisStorage } from '../../src/storage/redis/redis-storage.ts';
import { logTag } from '../../src/telemetry/logger.ts';
import { startReplicas } from '../support/broker/replicas.ts';
import { TestDevice } from '../support/broker/test-device.ts';
import { startRedisServer } from '../support/redis/redis.ts';
import { checkInvariants, type Evidence } from './check-invariants.ts';
import type { RaceDeps } from './decision-race.ts';
import { toConfirmThere } from './installation.ts';
import type { RaceEvents } from './judge-race.ts';

const SHORT_LIFE_SECONDS = 6;
const HOUR = 3_600_000;

/** Two replicas on one Redis; each race has a grant, a person and a source address of its own. */
export async function decisionDeps() {
  const redis = await startRedisServer();
  const client = { name: 'Build CLI', signing_alg: 'ES256', interval: '1s', scopes: { allowed: ['openid'] } };
  const clients = { 'build-cli': client, 'hasty-cli': { ...client, lifetimes: { code: `${SHORT_LIFE_SECONDS}s` } } };
  const replicas = await startReplicas({ redis, count: 2, yaml: { clients } });
  const { origin: publicUrl, running } = replicas;
  const sealingKey = replicas.environment['SEALING_KEY'] ?? '';
  const sealing = createSealing([new Secret(sealingKey)]);
  const storage = redisStorage({ at: { url: redis.url }, keyPrefix: 'gatehouse:' });
  await storage.open();
  const { ledger } = storage;
  const origins = running.map(({ origin }) => origin);

  /** One browser; its requests go to the replicas by turns. */
  const person = (): ScriptedPerson => {
    let turn = 0;
    return new ScriptedPerson({
      fetch: (input, init) => {
        const { href } = new URL(input instanceof Request ? input.url : input);
        return fetch(href.replace(publicUrl, origins[turn++ % origins.length] as string), init);
      },
    });
  };

  async function signIn(time: number, isShort: boolean): Promise<RaceDeps | undefined> {
    const source = `10.${time >> 16}.${(time >> 8) & 255}.${time & 255}`;
    const devices = origins.map(
      (origin) =>
        new TestDevice(
          { origin, publicUrl, now: async () => Date.now() },
          { clientId: isShort ? 'hasty-cli' : 'build-cli' },
        ),
    );
    const first = devices[time % devices.length] as TestDevice;
    const { body: started, status } = await first.start({}, { 'x-forwarded-for': source });
    // More than this machine can do just now.
    if (status !== 200) return undefined;
    const endsAtMs = performance.now() + SHORT_LIFE_SECONDS * 1000;
    const healthy = { origin: publicUrl };
    const { person: there, page } = await toConfirmThere({ healthy, person }, started.user_code);
    // With so little time left, the page says so and waits for the person.
    const onwards = page.links.find(({ searchParams }) => searchParams.has('upstream'));
    const confirm = onwards === undefined ? page : await there.visit(onwards, page);
    if (confirm.status !== 200 || confirm.url.pathname !== '/device/confirm') return undefined;
    const kill = async (): Promise<void> => {
      const now = await ledger.now();
      // As `gatehouse end --source` does it.
      await setMark({ ledger, sealing }, { mark: 'source', prefix: `${source}/32` }, now, now + HOUR);
    };
    return { started, endsAtMs, person: there, confirm, devices, kill };
  }

  return {
    /** Signs a person in as far as the decision; on a busy machine a short code may run out before, and the next is taken. */
    async prepare(time: number, isShort: boolean): Promise<RaceDeps> {
      for (let tries = 0; tries < 10; tries += 1) {
        const ready = await signIn(time, isShort);
        if (ready !== undefined) return ready;
      }
      throw new Error('ten codes ran out before anybody could sign in');
    },
    /** What the logs of both replicas have about grants, by device code. */
    events(): (deviceCode: string) => RaceEvents {
      const counts = new Map<string, RaceEvents>();
      for (const { event, grant } of running.flatMap(({ lines }) => lines)) {
        const of = counts.get(String(grant)) ?? noEvents();
        counts.set(String(grant), of);
        if (event in of) of[event as keyof RaceEvents] += 1;
      }
      return (deviceCode) => counts.get(logTag(grantId(new Secret(deviceCode)))) ?? noEvents();
    },
    check: (evidence: Pick<Evidence, 'secrets' | 'issued'>) =>
      checkInvariants({ redisUrl: redis.url, sealingKey, ...evidence }),
    async stop() {
      await storage.close();
      await replicas.stop();
      await redis.stop();
    },
  };
}

const noEvents = (): RaceEvents => ({
  'grant.approved': 0,
  'grant.denied': 0,
  'grant.redeemed': 0,
  'grant.refused': 0,
});
