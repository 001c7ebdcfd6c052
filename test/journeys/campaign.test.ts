import { afterEach, describe, expect, it } from 'vitest';
import { decide } from '../../demo/scripted-person.ts';
import { createTestBroker, DEVICE_CLIENT, type TestBroker } from '../support/broker/test-broker.ts';
import { startFakeUpstream } from '../support/upstream/fake-upstream.ts';

const PHISHER = '203.0.113.7';
const OFFICE = '198.51.100.9';
const OFFICE_NETWORK = { name: 'Oslo office', cidrs: ['198.51.100.0/24'], factor: 20 };
/** As the configuration has them without a word about them. */
const DEFAULT_LIMITS = { starts_per_source: 60, pending_per_source: 1000, approvals_per_subject: 20 };

let close: (() => Promise<void>) | undefined;
afterEach(() => close?.());

interface Town {
  broker: TestBroker;
  /** Somebody at one address starts a sign-in, and a person at another does with the code whatever they are asked. */
  play(from: string, person: string, at: string, decision?: 'approve' | 'report'): Promise<End>;
  wait(seconds: number): Promise<void>;
  campaignsNoticed(): number;
}

interface End {
  /** `not_started` where the device got no code. */
  end: 'tokens' | 'no_tokens' | 'not_started';
  /** Of the last page that the person saw. */
  status?: number;
  heading?: string;
  /** The error that the device was given. */
  error?: string;
}

async function openTown(safeguards: unknown, networks = {}): Promise<Town> {
  let aheadMs = 0;
  const upstream = await startFakeUpstream({ clock: () => Date.now() + aheadMs });
  const broker = await createTestBroker({
    upstream,
    yaml: {
      trusted_proxies: ['127.0.0.1/32'],
      limits: DEFAULT_LIMITS,
      networks,
      clients: { [DEVICE_CLIENT]: { safeguards } },
    },
  });
  close = async () => {
    await broker.close();
    await upstream.close();
  };
  const device = broker.device();

  /** What the proxy in front of the broker adds; the upstream is elsewhere and sees none of it. */
  const through = (address: string): typeof fetch => {
    return (input, init) => {
      const { origin } = new URL(input instanceof Request ? input.url : input);
      const headers = new Headers(init?.headers);
      if (origin === broker.origin) headers.set('x-forwarded-for', address);
      return fetch(input, { ...init, headers });
    };
  };
  const wait = async (seconds: number) => {
    aheadMs += seconds * 1000;
    await broker.advance(seconds * 1000);
  };

  return {
    broker,
    wait,
    campaignsNoticed: () => broker.lines.filter(({ event }) => event === 'campaign.noticed').length,
    async play(from, person, at, decision = 'approve') {
      const started = await device.start({}, { 'x-forwarded-for': from });
      if (started.status !== 200) {
        expect(started.status).toBe(429);
        expect(Number(started.headers.get('retry-after'))).toBeGreaterThan(0);
        return { end: 'not_started', error: started.body.error };
      }
      upstream.person = { sub: person, email: `${person}@example.com` };
      const page = await decide(
        { verificationUri: `${broker.publicUrl}/device`, userCode: started.body.user_code, user: person, decision },
        { fetch: through(at) },
      );
      await wait(5);
      const polled = await device.poll(started.body.device_code, {}, { 'x-forwarded-for': from });
      const { status, heading } = page;
      return { end: polled.status === 200 ? 'tokens' : 'no_tokens', status, heading, error: polled.body.error };
    },
  };
}

/** A phisher sends a code to each of fifty people, who sit in networks of their own, within ten minutes. */
async function phish(town: Town): Promise<End[]> {
  const ends: End[] = [];
  for (let victim = 0; victim < 50; victim += 1) {
    ends.push(await town.play(PHISHER, `victim-${victim}`, `192.0.${victim}.10`));
    await town.wait(5);
  }
  return ends;
}

/** Two hundred people of an office start and approve behind one address. */
async function workday(town: Town, address: string): Promise<End[]> {
  const ends: End[] = [];
  for (let colleague = 0; colleague < 200; colleague += 1) {
    ends.push(await town.play(address, `colleague-${colleague}`, address));
  }
  return ends;
}

const count = (ends: readonly End[], end: End['end']) => ends.filter((one) => one.end === end).length;

describe('a campaign against fifty people who do whatever they are asked', () => {
  it('gets nobody’s tokens in the strict profile', { timeout: 60_000 }, async () => {
    const town = await openTown('strict');
    const ends = await phish(town);
    expect(count(ends, 'tokens')).toBe(0);
    expect(ends.slice(0, 3).map(({ status, error }) => [status, error])).toEqual(
      new Array(3).fill([403, 'authorization_pending']),
    );
    expect(ends.slice(3).map(({ end, error }) => [end, error])).toEqual(
      new Array(47).fill(['not_started', 'temporarily_unavailable']),
    );
    expect(town.campaignsNoticed()).toBe(1);
  });

  it('gets two where the campaign detector has to do it alone', { timeout: 60_000 }, async () => {
    const ends = await phish(await openTown({ profile: 'standard', campaign: 'suspend' }));
    expect(count(ends, 'tokens')).toBe(2);
    expect(count(ends, 'not_started')).toBe(47);
  });

  it('is flagged in the standard profile, once in the log and on each later page', { timeout: 60_000 }, async () => {
    const town = await openTown('standard');
    await phish(town);
    expect(town.campaignsNoticed()).toBe(1);
    const approvals = town.broker.lines.filter(({ event }) => event === 'grant.approved');
    const signals = approvals.map((line) => String(line['signal']));
    expect(signals.filter((signal) => signal.includes('campaign'))).toHaveLength(48);
    expect(signals.filter((signal) => signal.includes('other_network'))).toHaveLength(50);
  });

  it('is slowed for its source when one person reports it', { timeout: 60_000 }, async () => {
    const town = await openTown('standard');
    await town.wait(60 - (((await town.broker.now()) / 1000) % 60));
    expect(await town.play(PHISHER, 'anna', '192.0.2.10', 'report')).toMatchObject({
      end: 'no_tokens',
      error: 'access_denied',
    });
    const starts: number[] = [];
    for (let n = 0; n < 20; n += 1) {
      starts.push((await town.broker.device().start({}, { 'x-forwarded-for': PHISHER })).status);
    }
    // A tenth of 60 a minute, one of them used for the one that was reported.
    expect(starts.filter((status) => status === 200)).toHaveLength(5);
    expect(starts.filter((status) => status === 429)).toHaveLength(15);
    expect(await town.play('203.0.114.7', 'ben', '203.0.114.7')).toMatchObject({ end: 'tokens' });
  });
});

describe('an office of two hundred people behind one address', () => {
  it.each(['standard', 'strict'])(
    'is not disturbed in %s where it is listed',
    { timeout: 120_000 },
    async (profile) => {
      const town = await openTown(profile, { oslo: OFFICE_NETWORK });
      const ends = await workday(town, OFFICE);
      expect(count(ends, 'tokens')).toBe(200);
      expect(town.campaignsNoticed()).toBe(0);
      const approvals = town.broker.lines.filter(({ event }) => event === 'grant.approved');
      expect(approvals.filter(({ signal }) => Array.isArray(signal) && signal.length > 0)).toEqual([]);
    },
  );

  it('is flagged in standard where it is not listed, and nobody is refused', { timeout: 120_000 }, async () => {
    const town = await openTown('standard');
    const ends = await workday(town, OFFICE);
    expect(count(ends, 'tokens')).toBe(200);
    expect(town.campaignsNoticed()).toBe(1);
  });
});
