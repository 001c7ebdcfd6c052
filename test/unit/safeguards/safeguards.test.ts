import { describe, expect, it } from 'vitest';
import type { Safeguards } from '../../../src/clients/registered-client.ts';
import { geoPlaceOf } from '../../../src/geo/geo-place.ts';
import { type GeoPlaces, NO_PLACES } from '../../../src/geo/geo-places.ts';
import type { Grant } from '../../../src/ledger/grant.ts';
import { reverseCodeAtStart } from '../../../src/safeguards/reverse-code.ts';
import type { ConfirmForm, Person } from '../../../src/safeguards/safeguards.ts';
import { mayInitiateFrom } from '../../../src/safeguards/still-met.ts';
import { clientWith, grantFrom, safeguardDeps } from './safeguard-deps.ts';

const AWAY = '203.0.113.7';
const HERE = '192.0.2.44';

function setUp(
  profile: Safeguards['profile'] = 'standard',
  overrides: Partial<Safeguards> = {},
  { geo, ...grantMore }: Partial<Grant> & { geo?: GeoPlaces } = {},
) {
  const deps = safeguardDeps({}, geo && { geo });
  const client = clientWith(profile, overrides);
  const grant = grantFrom(AWAY, deps.now(), grantMore);
  const person = (more: Partial<Person> = {}): Person => ({
    upstream: 'corp',
    subject: 'anna',
    address: HERE,
    nowMs: deps.now(),
    ...more,
  });
  const form = (more: Partial<ConfirmForm> = {}): ConfirmForm => ({
    userCode: 'WDJB-MJHT',
    codePrefilled: false,
    followedLink: false,
    openElsewhere: false,
    typedSuffix: '',
    browser: 'browser',
    ...more,
  });
  return {
    ...deps,
    confirm: (who?: Partial<Person>, what?: Partial<ConfirmForm>) =>
      deps.judge.judgeConfirm(client, grant, person(who), form(what)),
    approve: (who?: Partial<Person>, what?: Partial<ConfirmForm>) =>
      deps.judge.judgeApproval(client, grant, person(who), form(what)),
    client,
    grant,
  };
}

describe('the confirm page', () => {
  it('says where the request came from, and warns of what does not fit', async () => {
    const { confirm } = setUp();
    expect(await confirm({}, { followedLink: true, openElsewhere: true })).toEqual({
      requester: { from: { place: 'internet' }, address: AWAY, ageSeconds: 0 },
      warnings: ['other_network', 'followed_link', 'open_elsewhere'],
      charactersToType: 0,
      obstacle: undefined,
    });
  });

  it('has nothing to warn of where device and person are in one place', async () => {
    const { confirm } = setUp();
    expect(await confirm({ address: AWAY })).toMatchObject({ warnings: [], obstacle: undefined });
  });

  it('asks for the end of a code that came prefilled', async () => {
    const { confirm } = setUp();
    expect(await confirm({}, { codePrefilled: true })).toMatchObject({ charactersToType: 4 });
    expect(await setUp('strict').confirm({}, { codePrefilled: true })).toMatchObject({ charactersToType: 8 });
    expect(await setUp('open').confirm({}, { codePrefilled: true })).toMatchObject({ charactersToType: 0 });
  });

  it('says at once what will keep the person from approving', async () => {
    expect(await setUp('strict').confirm()).toMatchObject({ obstacle: 'same_network' });
    const { confirm } = setUp('standard', { approveFrom: ['10.0.0.0/8'] });
    expect(await confirm()).toMatchObject({ obstacle: 'approve_from' });
    expect(await confirm({ address: '10.1.1.1' })).toMatchObject({ obstacle: undefined });
  });
});

describe('another country', () => {
  const by = (codes: Record<string, string>): GeoPlaces => ({
    ...NO_PLACES,
    placeOf: (address) => (codes[address] === undefined ? undefined : geoPlaceOf({ country: codes[address] })),
  });
  const HERE_IN_NORWAY = { [HERE]: 'NO', [AWAY]: 'DE' };

  it.each([
    ['is warned of beside another network', HERE_IN_NORWAY, {}, ['other_network', 'other_country']],
    ['is none where it is the same', { [HERE]: 'NO', [AWAY]: 'NO' }, {}, ['other_network']],
    ['is none where one is not known', { [AWAY]: 'DE' }, {}, ['other_network']],
    ['is none where neither is', {}, {}, ['other_network']],
    ['is not looked for where it is off', HERE_IN_NORWAY, { place: 'off' as const }, ['other_network']],
    ['is said alone where networks may differ', HERE_IN_NORWAY, { sameNetwork: 'off' as const }, ['other_country']],
  ])('%s', async (_, codes, overrides, warnings) => {
    const { confirm, approve } = setUp('standard', overrides, { geo: by(codes) });
    expect((await confirm()).warnings).toEqual(warnings);
    expect(await approve()).toMatchObject({ verdict: 'allowed', warnings });
  });

  it('is none within one network, whatever is said of its addresses', async () => {
    const { confirm } = setUp('strict', {}, { geo: by({ [AWAY]: 'DE', '203.0.113.9': 'NO' }) });
    expect((await confirm({ address: '203.0.113.9' })).warnings).toEqual([]);
  });
});

describe('an approval', () => {
  it('goes through in each profile where everything fits', async () => {
    expect(await setUp('open').approve()).toMatchObject({ verdict: 'allowed' });
    expect(await setUp('standard').approve()).toMatchObject({ verdict: 'allowed', warnings: ['other_network'] });
    expect(await setUp('strict').approve({ address: AWAY })).toMatchObject({ verdict: 'allowed', warnings: [] });
  });

  it('is refused where an obstacle stands, and not counted', async () => {
    const { approve } = setUp('strict');
    for (let n = 0; n < 20; n += 1) {
      expect(await approve()).toEqual({
        verdict: 'refused',
        reason: 'same_network',
        warnings: ['other_network'],
      });
    }
    expect(await approve({ address: AWAY })).toMatchObject({ verdict: 'allowed' });
  });

  it('needs the end of a prefilled code, however the code was written, and a wrong end is no approval', async () => {
    const { approve } = setUp();
    for (const typedSuffix of ['', 'WDJB', 'XXXX', 'mjhx', 'x', 'MJH']) {
      expect(await approve({}, { codePrefilled: true, typedSuffix })).toMatchObject({ verdict: 'wrong_code' });
    }
    expect(await approve({}, { codePrefilled: true, typedSuffix: 'mjht' })).toMatchObject({ verdict: 'allowed' });
  });

  it('has ten tries at the end of a prefilled code, also when they come together, and the right one is then too late', async () => {
    const { approve } = setUp();
    const ends = Array.from({ length: 60 }, (_, n) => ({
      codePrefilled: true,
      typedSuffix: n === 40 ? 'mjht' : 'BBBB',
    }));
    const judged = await Promise.all(ends.map((end) => approve({}, end)));
    expect(judged.filter(({ verdict }) => verdict === 'wrong_code')).toHaveLength(10);
    expect(judged.filter(({ verdict }) => verdict === 'allowed')).toEqual([]);
    expect(await approve({}, { codePrefilled: true, typedSuffix: 'mjht' })).toMatchObject({
      verdict: 'too_many',
      limit: 'wrong_codes_per_browser',
    });
    // Another browser of the same office, and a code that was typed whole, are another matter.
    expect(await approve({}, { codePrefilled: true, typedSuffix: 'mjht', browser: 'other' })).toMatchObject({
      verdict: 'allowed',
    });
    expect(await approve()).toMatchObject({ verdict: 'allowed' });
  });

  it('may be asked for without anything typed as often as a person presses the button', async () => {
    const { approve } = setUp();
    for (let n = 0; n < 30; n += 1) {
      expect(await approve({}, { codePrefilled: true, typedSuffix: ' ' })).toMatchObject({ verdict: 'wrong_code' });
    }
    expect(await approve({}, { codePrefilled: true, typedSuffix: 'mjht' })).toMatchObject({ verdict: 'allowed' });
  });

  it('is one of twenty that a person has in an hour', async () => {
    const deps = safeguardDeps();
    const approve = (n: number) =>
      deps.judge.judgeApproval(
        clientWith('standard'),
        grantFrom(AWAY, deps.now(), { id: `grant-${n}` }),
        { upstream: 'corp', subject: 'anna', address: AWAY, nowMs: deps.now() },
        {
          userCode: 'WDJBMJHT',
          codePrefilled: false,
          followedLink: false,
          openElsewhere: false,
          typedSuffix: '',
          browser: 'browser',
        },
      );
    for (let n = 0; n < 20; n += 1) expect(await approve(n)).toMatchObject({ verdict: 'allowed' });
    expect(await approve(20)).toMatchObject({ verdict: 'too_many', limit: 'approvals_per_subject' });
  });

  it('waits, and has four digits for the device, where the client wants it and the device can', async () => {
    const strict = setUp('strict', {}, { confirmation: 'supported' });
    const judged = await strict.approve({ address: AWAY });
    expect(judged).toMatchObject({
      heldUntilMs: strict.now() + 5000,
      reverseCode: expect.stringMatching(/^\d{4}$/),
    });
    expect(await setUp('strict').approve({ address: AWAY })).toMatchObject({ reverseCode: undefined });
    expect(await setUp('standard').approve()).toMatchObject({ heldUntilMs: undefined, reverseCode: undefined });
  });
});

describe('a start', () => {
  it('is refused outside of initiate_from, and where the device cannot send the digits that the client requires', () => {
    const inside = { initiateFrom: ['10.0.0.0/8'] };
    expect(mayInitiateFrom(inside, '10.1.1.1')).toBe(true);
    expect(mayInitiateFrom(inside, AWAY)).toBe(false);
    expect(reverseCodeAtStart('required', undefined)).toBe('refuse');
    expect(reverseCodeAtStart('required', 'supported')).not.toBe('refuse');
  });
});

describe('"I did not start this"', () => {
  it('cuts what that source may start to a tenth for an hour, and leaves the others alone', async () => {
    const { judge, grant, startLimits, now, wait } = setUp();
    const start = (source: string) =>
      startLimits.admitStart({ source, clientId: 'cli', codeLifetimeSeconds: 600, nowMs: now() });
    const admitted = async (source: string) => {
      const verdicts = await Promise.all(Array.from({ length: 100 }, () => start(source)));
      return verdicts.filter(({ verdict }) => verdict === 'admitted').length;
    };
    await judge.report(grant, now());
    expect(await admitted(AWAY)).toBe(6);
    expect(await admitted('203.0.113.99')).toBe(60);
    wait(3600);
    expect(await admitted(AWAY)).toBe(60);
  });
});
