import { describe, expect, it } from 'vitest';
import type { Safeguards } from '../../../src/clients/registered-client.ts';
import type { Sighting } from '../../../src/safeguards/campaign.ts';
import { mayInitiateFrom } from '../../../src/safeguards/still-met.ts';
import { OFFICE } from '../limits/limit-deps.ts';
import { clientWith, grantFrom, safeguardDeps, signedIn } from './safeguard-deps.ts';

const PHISHER = '203.0.113.7';
const MINUTE = 60;

function setUp() {
  const deps = safeguardDeps();
  const note = async (subject: string, more: Partial<Sighting> = {}) => {
    const sighting = {
      mode: 'alert' as const,
      source: PHISHER,
      personAddress: '192.0.2.44',
      upstream: 'corp',
      subject,
    };
    return deps.campaigns.note({ ...sighting, nowMs: deps.now(), ...more });
  };
  return { ...deps, note };
}

describe('one source and several people', () => {
  it('are a campaign from the third person on, and news once', async () => {
    const { note } = setUp();
    expect(await note('anna')).toEqual({ verdict: 'quiet', isNews: false });
    expect(await note('ben')).toEqual({ verdict: 'quiet', isNews: false });
    expect(await note('carla')).toEqual({ verdict: 'alert', isNews: true });
    expect(await note('dan')).toEqual({ verdict: 'alert', isNews: false });
  });

  it('are none where it is the same person again, and two where two upstreams have the name', async () => {
    const { note } = setUp();
    for (let n = 0; n < 20; n += 1) expect(await note('anna')).toMatchObject({ verdict: 'quiet' });
    await note('anna', { upstream: 'partner' });
    expect(await note('anna', { upstream: 'third' })).toMatchObject({ verdict: 'alert' });
  });

  it('are none where they come over more than ten minutes', async () => {
    const { note, wait } = setUp();
    for (const subject of ['anna', 'ben', 'carla', 'dan', 'eve']) {
      expect(await note(subject)).toMatchObject({ verdict: 'quiet' });
      wait(6 * MINUTE);
    }
  });

  it('are not missed where they come together', async () => {
    const { note } = setUp();
    const verdicts = await Promise.all(['anna', 'ben', 'carla'].map((subject) => note(subject)));
    expect(verdicts.filter(({ verdict }) => verdict === 'alert').length).toBeGreaterThan(0);
  });

  it('are one source over a /64, and ten people are one over a /24 or a /48', async () => {
    const { note } = setUp();
    await note('anna', { source: '2001:db8:1:1::1' });
    await note('ben', { source: '2001:db8:1:1::2' });
    expect(await note('carla', { source: '2001:db8:1:1::3' })).toMatchObject({ verdict: 'alert' });

    const moving = (n: number) => note(`moving-${n}`, { source: `2001:db8:2:${n}::1` });
    for (let n = 1; n < 10; n += 1) expect(await moving(n)).toMatchObject({ verdict: 'quiet' });
    expect(await moving(10)).toMatchObject({ verdict: 'alert', isNews: true });
  });

  it('stay marked for an hour', async () => {
    const { note, campaigns, now, wait } = setUp();
    for (const subject of ['anna', 'ben', 'carla']) await note(subject);
    wait(59 * MINUTE);
    expect(await campaigns.judge('alert', PHISHER, now())).toEqual({ verdict: 'alert', isNews: false });
    wait(2 * MINUTE);
    expect(await campaigns.judge('alert', PHISHER, now())).toEqual({ verdict: 'quiet', isNews: false });
  });

  it('are looked for only where the client says so, and suspended only for clients that suspend', async () => {
    const { note, campaigns, now } = setUp();
    for (const subject of ['anna', 'ben', 'carla']) await note(subject, { mode: 'off' });
    for (const subject of ['anna', 'ben', 'carla']) await note(subject);
    expect(await campaigns.judge('off', PHISHER, now())).toMatchObject({ verdict: 'quiet' });
    expect(await campaigns.judge('suspend', PHISHER, now())).toMatchObject({ verdict: 'quiet' });
    expect(await note('dan', { mode: 'suspend' })).toEqual({ verdict: 'suspended', isNews: true });
    expect(await campaigns.judge('suspend', PHISHER, now())).toMatchObject({ verdict: 'suspended' });
  });

  it('from a named network are none where the people sit there too; elsewhere its factor counts', async () => {
    const { note } = setUp();
    for (let n = 0; n < 200; n += 1) {
      expect(await note(`colleague-${n}`, { source: OFFICE, personAddress: '198.51.100.200' })).toMatchObject({
        verdict: 'quiet',
      });
    }
    for (let n = 1; n < 60; n += 1) expect(await note(`${n}`, { source: OFFICE })).toMatchObject({ verdict: 'quiet' });
    expect(await note('60', { source: OFFICE })).toMatchObject({ verdict: 'alert' });
  });
});

/** Somebody starts a sign-in at `source`, and somebody at `personAddress` types the code, signs in and approves. */
function scene(profile: Safeguards['profile'], overrides: Partial<Safeguards> = {}) {
  const deps = safeguardDeps();
  const client = clientWith(profile, overrides);
  let grants = 0;
  const play = async (source: string, subject: string, personAddress: string) => {
    const { judge, startLimits, now } = deps;
    const { campaign } = client.safeguards;
    const start = { source, clientId: client.id, codeLifetimeSeconds: 600, nowMs: now(), campaign };
    if (!mayInitiateFrom(client.safeguards, source)) return { end: 'not_started' };
    const admitted = await startLimits.admitStart(start);
    if (admitted.verdict === 'refused') return { end: 'not_started', limit: admitted.limit };
    grants += 1;
    const grant = grantFrom(source, now(), { id: `grant-${grants}` });
    const person = { upstream: 'corp', subject, address: personAddress, nowMs: now() };
    const arrived = await judge.judgeArrived(client, grant, signedIn(subject), person);
    const entry = { userCode: 'WDJBMJHT', codePrefilled: false, followedLink: false, openElsewhere: false };
    const shown = await judge.judgeConfirm(client, grant, person, entry);
    const approval = await judge.judgeApproval(client, grant, person, {
      ...entry,
      typedSuffix: '',
      browser: 'browser',
    });
    return { end: approval.verdict, warnings: shown.warnings, isNews: arrived.campaign.isNews };
  };
  return { ...deps, play };
}

type Scene = ReturnType<typeof scene>;

/** A phisher sends a code to each of 50 people, each at a network of their own, within ten minutes. */
async function phish({ play, wait }: Scene) {
  const ends = [];
  for (let victim = 0; victim < 50; victim += 1) {
    ends.push(await play(PHISHER, `victim-${victim}`, `192.0.${victim}.10`));
    wait(10);
  }
  return ends;
}

/** 200 people of an office start and approve behind one address within ten minutes. */
async function workday({ play, wait }: Scene, address: string) {
  const ends = [];
  for (let colleague = 0; colleague < 200; colleague += 1) {
    ends.push(await play(address, `colleague-${colleague}`, address));
    wait(3);
  }
  return ends;
}

const count = (ends: { end: string }[], end: string) => ends.filter((one) => one.end === end).length;

describe('a campaign against fifty people', () => {
  it('gets nobody in the strict profile', async () => {
    const ends = await phish(scene('strict'));
    expect(count(ends, 'allowed')).toBe(0);
    expect(ends.filter((end) => end.limit === 'campaign').length).toBe(47);
  });

  it('is stopped at the third person by the campaign detector alone', async () => {
    const ends = await phish(scene('standard', { campaign: 'suspend' }));
    expect(count(ends, 'allowed')).toBe(2);
    expect(count(ends, 'refused')).toBe(1);
    expect(count(ends, 'not_started')).toBe(47);
    expect(ends.filter(({ isNews }) => isNews)).toHaveLength(1);
  });

  it('with all codes started beforehand is stopped at the third person too', async () => {
    const { judge, now } = scene('standard');
    const client = clientWith('standard', { campaign: 'suspend' });
    const verdicts: string[] = [];
    for (let victim = 0; victim < 50; victim += 1) {
      const grant = grantFrom(PHISHER, now(), { id: `grant-${victim}` });
      const person = { upstream: 'corp', subject: `v${victim}`, address: `192.0.${victim}.10`, nowMs: now() };
      await judge.judgeArrived(client, grant, signedIn(person.subject), person);
      const form = { userCode: 'WDJBMJHT', codePrefilled: false, followedLink: false, openElsewhere: false };
      verdicts.push(
        (await judge.judgeApproval(client, grant, person, { ...form, typedSuffix: '', browser: 'browser' })).verdict,
      );
    }
    expect(verdicts.filter((verdict) => verdict === 'allowed')).toHaveLength(2);
  });

  it('is flagged in the standard profile: told once, and each later person is warned', async () => {
    const ends = await phish(scene('standard'));
    expect(count(ends, 'allowed')).toBe(50);
    expect(ends.filter(({ isNews }) => isNews)).toHaveLength(1);
    expect(ends.filter(({ warnings }) => warnings?.includes('campaign'))).toHaveLength(48);
    expect(ends.filter(({ warnings }) => warnings?.includes('other_network'))).toHaveLength(50);
  });
});

describe('an office of two hundred behind one address', () => {
  it.each(['standard', 'strict'] as const)('is not disturbed in %s where it is listed', async (profile) => {
    const ends = await workday(scene(profile), OFFICE);
    expect(count(ends, 'allowed')).toBe(200);
    expect(ends.filter(({ isNews, warnings }) => isNews || warnings?.length !== 0)).toEqual([]);
  });

  it('is flagged in standard where it is not listed, and nobody is refused', async () => {
    const ends = await workday(scene('standard'), PHISHER);
    expect(count(ends, 'allowed')).toBe(200);
    expect(ends.filter(({ isNews }) => isNews)).toHaveLength(1);
  });
});
