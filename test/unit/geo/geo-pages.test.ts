import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { type GeoPlaces, openGeoPlaces } from '../../../src/geo/geo-places.ts';
import { openPageHarness } from '../../support/browser/page-harness.ts';
import { mmdb } from '../../support/mmdb.ts';

const OSLO = {
  city: { names: { en: 'Oslo' } },
  country: { iso_code: 'NO', names: { en: 'Norway', de: 'Norwegen' } },
  traits: { isp: 'Example ISP' },
};
const NASTY = { city: { names: { en: '<b>Oslo</b>' } }, country: { iso_code: 'NO' }, traits: { isp: 'A "B" & C' } };
const BERLIN = { city: { names: { en: 'Berlin' } }, country: { iso_code: 'DE' } };

const folder = mkdtempSync(join(tmpdir(), 'gatehouse-geo-'));
afterAll(() => rmSync(folder, { recursive: true }));

async function placesOf(networks: Parameters<typeof mmdb>[0]): Promise<GeoPlaces> {
  const file = join(folder, 'places.mmdb');
  writeFileSync(file, mmdb(networks));
  const places = openGeoPlaces({ file }, { event: () => {} });
  await places.read;
  return places;
}

/** A person in Berlin, a device in Oslo. */
let geo: GeoPlaces;
beforeAll(async () => {
  geo = await placesOf({ '203.0.113.0/24': OSLO, '192.0.2.0/24': BERLIN });
});

describe('where a request came from', () => {
  it('stands beside its address, in the person’s language', async () => {
    const harness = openPageHarness({ deps: { geo }, settings: { languages: ['en', 'de'] } });
    const visitor = harness.newVisitor();
    const confirm = await harness.signIn(visitor, (await harness.start()).userCode);
    expect(confirm.words).toContain('203.0.113.7 Oslo, Norway · Example ISP not your network');
    visitor.headers = { 'accept-language': 'de' };
    expect((await visitor.open(confirm.address)).words).toContain('203.0.113.7 Oslo, Norwegen · Example ISP');
  });

  it('is text, whatever it is', async () => {
    const harness = openPageHarness({ deps: { geo: await placesOf({ '203.0.113.0/24': NASTY }) } });
    const confirm = await harness.signIn(harness.newVisitor(), (await harness.start()).userCode);
    expect(confirm.text).toContain('&lt;b&gt;Oslo&lt;/b&gt;, Norway · A &#34;B&#34; &amp; C');
  });

  it('is left out where nobody knows, and the page is what it was', async () => {
    const shown = async (places?: GeoPlaces) => {
      const harness = openPageHarness(places === undefined ? {} : { deps: { geo: places } });
      const visitor = harness.newVisitor();
      return (await harness.signIn(visitor, (await harness.start()).userCode)).words.replace(/[A-Z]{4}-[A-Z]{4}/, '');
    };
    expect(await shown(await placesOf({ '198.51.100.0/24': OSLO }))).toBe(await shown());
  });

  it('is warned of where it is another country, in place of the other network, and both are in the audit', async () => {
    const client = { safeguards: { sameNetwork: 'warn', place: 'warn' } } as const;
    const harness = openPageHarness({ deps: { geo }, client });
    const visitor = harness.newVisitor();
    const confirm = await harness.signIn(visitor, (await harness.start()).userCode);
    expect(confirm.words).toContain('1 reason to be careful This request comes from another country.');
    expect(confirm.words).not.toContain('a different network');
    expect((await visitor.submit(confirm, { decision: 'approve' })).heading).toBe('Approved');
    expect(harness.events.find(({ name }) => name === 'grant.approved')?.fields).toMatchObject({
      signal: ['other_network', 'other_country'],
      place: { country: 'DE', city: 'Berlin', network: undefined },
      requesterPlace: { country: 'NO', city: 'Oslo', network: 'Example ISP' },
    });
  });

  it('is in the audit of a denial too', async () => {
    const harness = openPageHarness({ deps: { geo } });
    const visitor = harness.newVisitor();
    const confirm = await harness.signIn(visitor, (await harness.start()).userCode);
    await visitor.submit(confirm, { decision: 'report' });
    expect(harness.events.find(({ name }) => name === 'grant.denied')?.fields).toMatchObject({
      requesterPlace: { country: 'NO', city: 'Oslo', network: 'Example ISP' },
    });
  });
});
