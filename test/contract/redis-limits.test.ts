import { randomBytes } from 'node:crypto';
import { afterAll, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import { createApprovalLimits } from '../../src/limits/approval-limits.ts';
import { createCodeEntryLimits } from '../../src/limits/code-entry-limits.ts';
import { setSourceMark, suspendedMark } from '../../src/limits/source-marks.ts';
import { createStartLimits } from '../../src/limits/start-limits.ts';
import { createNetworks } from '../../src/network/networks.ts';
import { createCampaigns } from '../../src/safeguards/campaign.ts';
import { createSealing } from '../../src/sealing/sealing.ts';
import { Secret } from '../../src/sealing/secret.ts';
import { redisForTests } from '../support/redis/redis.ts';
import { movableRedis, type TestStore } from '../support/redis/storage-under-test.ts';
import { LIMITS } from '../support/samples/sample-limits.ts';

const SOURCE = '203.0.113.7';
const sealing = createSealing([new Secret(randomBytes(32).toString('base64url'))]);
const networks = createNetworks([]);

describe('limits of two replicas on one Redis', () => {
  let redis: Awaited<ReturnType<typeof redisForTests>>;
  let store: TestStore;
  let nowMs: number;
  beforeAll(async () => {
    redis = await redisForTests();
  });
  afterAll(() => redis.stop());
  beforeEach(async () => {
    store = await movableRedis(redis.settings());
    // Windows are fixed: a test that began at the end of one would see two.
    const hourMs = 60 * 60 * 1000;
    await store.advance(hourMs - ((await store.storage.ledger.now()) % hourMs));
    nowMs = await store.storage.ledger.now();
    return () => store.close();
  });

  const depsList = () =>
    [store.storage, store.replica].map(({ ledger, counters }) => ({
      ledger,
      counters,
      sealing,
      networks,
      limits: LIMITS,
      codeLifetimesSeconds: [600],
    }));

  /** Calls by turns at both replicas, all at once. */
  function race<Limits, Verdict>(
    create: (deps: ReturnType<typeof depsList>[number]) => Limits,
    times: number,
    call: (limits: Limits, n: number) => Promise<Verdict>,
  ): Promise<Verdict[]> {
    const replicas = depsList().map(create);
    return Promise.all(Array.from({ length: times }, (_, n) => call(replicas[n % 2] as Limits, n)));
  }

  it('admit sixty starts of a source in a minute', async () => {
    const verdicts = await race(createStartLimits, 200, (limits) =>
      limits.admitStart({ source: SOURCE, clientId: 'cli', codeLifetimeSeconds: 600, nowMs }),
    );
    expect(verdicts.filter(({ verdict }) => verdict === 'admitted')).toHaveLength(60);
  });

  it('let fifty wrong codes of a source be looked up, and as many right ones as there are', async () => {
    const verdicts = await race(createCodeEntryLimits, 300, (limits, n) =>
      limits.mayEnter({ source: SOURCE, browser: `b${n}`, nowMs }),
    );
    expect(verdicts.filter(({ verdict }) => verdict === 'allowed')).toHaveLength(50);
    const [limits] = depsList().map(createCodeEntryLimits);
    for (let n = 0; n < 100; n += 1) {
      const entry = await limits?.mayEnter({ source: '203.0.114.7', browser: `right-${n}`, nowMs });
      expect(entry?.verdict).toBe('allowed');
      if (entry?.verdict === 'allowed') await entry.wasRight();
    }
  });

  it('let a person approve twenty devices in an hour', async () => {
    const verdicts = await race(createApprovalLimits, 40, (limits, n) =>
      limits.mayApprove({ grantId: `g${n}`, upstream: 'corp', subject: 'anna', nowMs }),
    );
    expect(verdicts.filter(({ verdict }) => verdict === 'allowed')).toHaveLength(20);
  });

  it('see a campaign whose people came to different replicas, and suspend its source at once on both', async () => {
    const sighting = { mode: 'suspend' as const, source: SOURCE, personAddress: '192.0.2.1', upstream: 'corp', nowMs };
    const verdicts = await race(createCampaigns, 3, (campaigns, n) =>
      campaigns.note({ ...sighting, subject: `victim-${n}` }),
    );
    expect(verdicts.filter(({ verdict }) => verdict === 'suspended').length).toBeGreaterThan(0);
    for (const limits of depsList().map(createStartLimits)) {
      const start = { source: SOURCE, clientId: 'cli', codeLifetimeSeconds: 600, nowMs, campaign: 'suspend' as const };
      expect(await limits.admitStart(start)).toMatchObject({ verdict: 'refused', limit: 'campaign' });
    }
  });

  it('lift a suspension when its time has come', async () => {
    await setSourceMark(store.storage.ledger, suspendedMark(`${SOURCE}/32`), nowMs + 60_000);
    await store.advance(61_000);
    const [campaigns] = depsList().map(createCampaigns);
    const later = await store.storage.ledger.now();
    expect(await campaigns?.judge('suspend', SOURCE, later)).toMatchObject({ verdict: 'quiet' });
  });
});
