import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import fc from 'fast-check';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { geoPlaceOf } from '../../../src/geo/geo-place.ts';
import { type GeoPlaces, NO_PLACES, openGeoPlaces } from '../../../src/geo/geo-places.ts';
import { mmdbOf } from '../../../src/geo/mmdb-file.ts';
import { placeWords } from '../../../src/pages/confirm/place-words.ts';
import { createLanguages } from '../../../src/pages/frame/languages.ts';
import { control, encode, mmdb, reference } from '../../support/mmdb.ts';

const OSLO = {
  city: { names: { en: 'Oslo', 'zh-CN': '奥斯陆' } },
  country: { iso_code: 'NO', names: { en: 'Norway', de: 'Norwegen', 'zh-CN': '挪威' } },
};
const BERLIN = { city: { names: { en: 'Berlin' } }, country: { iso_code: 'DE', names: { en: 'Germany' } } };
const NETWORKS = { '203.0.113.0/24': OSLO, '198.51.100.0/25': BERLIN, '2001:db8::/33': OSLO, '10.0.0.0/8': OSLO };

let folder = '';
beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), 'gatehouse-geo-'));
});
afterAll(() => rm(folder, { recursive: true }));

let files = 0;
async function written(bytes: Buffer): Promise<string> {
  files += 1;
  const file = join(folder, `${files}.mmdb`);
  await writeFile(file, bytes);
  return file;
}

interface Told {
  name: string;
  file?: unknown;
  detail?: unknown;
}

async function opened(bytes: Buffer, more: { asn?: Buffer; before?: GeoPlaces; told?: Told[] } = {}) {
  const { asn, before, told = [] } = more;
  const settings = { file: await written(bytes), ...(asn !== undefined && { asnFile: await written(asn) }) };
  const places = openGeoPlaces(settings, { event: (name, fields) => told.push({ name, ...fields }) }, before);
  await places.read;
  return { places, settings, told };
}

const languages = createLanguages(['en', 'de', 'nl', 'zh-Hans']);
const words = (places: GeoPlaces, address: string, language = 'en') =>
  placeWords(places.placeOf(address), languages.in(language));

describe('where an address is', () => {
  it.each([24, 28, 32] as const)('is found in a file with records of %i bits', async (recordSize) => {
    const { places } = await opened(mmdb(NETWORKS, { recordSize }));
    expect(words(places, '203.0.113.7')).toBe('Oslo, Norway');
    expect(words(places, '198.51.100.7')).toBe('Berlin, Germany');
    expect(words(places, '2001:db8::7')).toBe('Oslo, Norway');
    // However it was written, it is an IPv4 address.
    expect(words(places, '::ffff:198.51.100.7')).toBe('Berlin, Germany');
    expect(words(places, '::ffff:c633:6407')).toBe('Berlin, Germany');
  });

  it.each([
    '198.51.100.200',
    '2001:db9::1',
    '192.0.2.1',
    'unknown',
    '',
    '203.0.113.7.',
    '10.1.2.3',
    '127.0.0.1',
    'fe80::1',
  ])('is not known of %j', async (address) =>
    expect((await opened(mmdb(NETWORKS))).places.placeOf(address)).toBeUndefined(),
  );

  it('is not known of an IPv6 address where the file has IPv4 alone', async () => {
    const { places } = await opened(mmdb({ '32.1.13.0/24': OSLO }, { ipVersion: 4 }));
    expect(words(places, '32.1.13.184')).toBe('Oslo, Norway');
    expect(places.placeOf('2001:db8::7')).toBeUndefined();
  });

  it('is said in the person’s language, else by what the runtime calls the country, else in English', async () => {
    const { places } = await opened(mmdb(NETWORKS));
    expect(words(places, '203.0.113.7', 'zh-Hans')).toBe('奥斯陆, 挪威');
    expect(words(places, '203.0.113.7', 'de')).toBe('Oslo, Norwegen');
    expect(words(places, '203.0.113.7', 'nl')).toBe('Oslo, Noorwegen');
  });

  it('comes with who runs the network, from either file', async () => {
    const asn = mmdb({ '203.0.113.0/24': { autonomous_system_organization: 'Example ISP' } }, { type: 'Test-ASN' });
    const both = await opened(mmdb(NETWORKS), { asn });
    expect(words(both.places, '203.0.113.7')).toBe('Oslo, Norway · Example ISP');
    expect(words(both.places, '198.51.100.7')).toBe('Berlin, Germany');
    const own = mmdb({ '203.0.113.0/24': { ...OSLO, traits: { isp: 'Other ISP' } } });
    expect(words((await opened(own, { asn })).places, '203.0.113.7')).toBe('Oslo, Norway · Other ISP');
    expect(words((await opened(asn)).places, '203.0.113.7')).toBe('Example ISP');
  });

  it.each([
    [
      'plain names',
      { city: 'Oslo', country: 'Norway', country_code: 'NO', as_name: 'Example ISP' },
      'Oslo, Norway · Example ISP',
    ],
    ['a bare code', { country: 'NO' }, 'Norway'],
    ['a code that is no country', { country: 'QQ', city: 'Nowhere' }, 'Nowhere'],
    ['nothing of use', { country: 7, city: ['Oslo'], isp: true }, ''],
    ['where it is registered', { registered_country: { iso_code: 'NO' } }, 'Norway'],
  ])('is read from a record with %s', (_, record, expected) => {
    expect(placeWords(geoPlaceOf(record), languages.in('en'))).toBe(expected);
  });

  it.each(['Os\u202elo', 'Oslo\nDeny', 'O\u0000', '\u200b', '', '   '])('has no city that is called %j', (name) => {
    expect(geoPlaceOf({ city: { names: { en: name, de: 'Oslo' } } }).city).toEqual(new Map([['de', 'Oslo']]));
  });

  it('is cut where it is long, and inherits no name', () => {
    const network = geoPlaceOf({ isp: 'x'.repeat(10_000) }).network ?? '';
    expect(Array.from(network)).toHaveLength(64);
    expect(geoPlaceOf(JSON.parse('{"city":{"names":{"__proto__":"Oslo"}}}')).city.get('en')).toBeUndefined();
  });
});

describe('a file', () => {
  const whole = mmdb(NETWORKS);

  it.each([
    ['that is empty', Buffer.alloc(0), 'no MMDB file'],
    ['of something else', Buffer.from('{"country":"NO"}'), 'no MMDB file'],
    ['whose end is missing', whole.subarray(0, whole.length - 200), 'damaged or cut off'],
    ['whose beginning is missing', whole.subarray(100), 'damaged or cut off'],
    ['of another format', Buffer.concat([whole.subarray(0, -400), reform(whole.subarray(-400))]), 'another format'],
  ])('%s is told of, and nothing is known', async (_, bytes, words) => {
    const { places, told, settings } = await opened(bytes);
    expect(places.placeOf('203.0.113.7')).toBeUndefined();
    expect(told).toEqual([{ name: 'geo.refused', file: settings.file, detail: expect.stringContaining(words) }]);
  });

  it.each(['missing.mmdb', '.'])('that is none (%s) is told of, and nothing is known', async (name) => {
    const told: Told[] = [];
    const places = openGeoPlaces(
      { file: join(folder, name) },
      { event: (event, fields) => told.push({ name: event, ...fields }) },
    );
    await places.read;
    expect(places.placeOf('203.0.113.7')).toBeUndefined();
    expect(told.map((one) => one.name)).toEqual(['geo.refused']);
  });

  it('that did not change is not read again, and one that is broken now leaves what it said', async () => {
    const { places, settings, told } = await opened(whole);
    const log = { event: (name: string, fields?: object) => told.push({ name, ...fields }) };
    const again = openGeoPlaces(settings, log, places);
    await again.read;
    expect(told.map(({ name }) => name)).toEqual(['geo.read']);
    await writeFile(settings.file, 'broken');
    const broken = openGeoPlaces(settings, log, again);
    await broken.read;
    expect(words(broken, '203.0.113.7')).toBe('Oslo, Norway');
    await writeFile(settings.file, mmdb({ '203.0.113.0/24': BERLIN }));
    const mended = openGeoPlaces(settings, log, broken);
    await mended.read;
    expect(words(mended, '203.0.113.7')).toBe('Berlin, Germany');
    expect(told.map(({ name }) => name)).toEqual(['geo.read', 'geo.refused', 'geo.read']);
    expect(openGeoPlaces(undefined, log, mended)).toBe(NO_PLACES);
  });

  it('that is damaged at one record is told of once, and knows the others', async () => {
    const damaged = Buffer.from(whole);
    // The first record: a map whose type nobody knows.
    damaged.set([0, 200], whole.indexOf(encode(OSLO)));
    const { places, told } = await opened(damaged);
    for (let n = 1; n < 20; n += 1) expect(places.placeOf(`203.0.113.${n}`)).toBeUndefined();
    expect(words(places, '198.51.100.7')).toBe('Berlin, Germany');
    expect(told.filter(({ name }) => name === 'geo.refused')).toHaveLength(1);
  });

  it.each([
    ['that refers to itself', reference(0), true],
    [
      'that refers to itself ten times',
      Buffer.concat([control(11, 10), ...Array.from({ length: 10 }, () => reference(0))]),
      true,
    ],
    ['that doubles forty times', doubling(40), false],
    ['with more references than there is a use for', doubling(2000), true],
  ])('with a record %s ends', (_, record, isRefused) => {
    const marker = encode('here it is');
    const bytes = mmdb({ '203.0.113.0/24': 'here it is' });
    const at = bytes.indexOf(marker);
    const file = mmdbOf(Buffer.concat([bytes.subarray(0, at), record, bytes.subarray(at + marker.length)]));
    const began = performance.now();
    const look = () => geoPlaceOf(file.recordOf('203.0.113.7'));
    if (isRefused) expect(look).toThrow();
    else expect(look()).toMatchObject({ countryCode: undefined });
    expect(performance.now() - began).toBeLessThan(2000);
  });

  it('with whatever bytes changed, cut or added answers or is refused', () => {
    const change = fc.record({ at: fc.nat(whole.length - 1), byte: fc.nat(255) });
    const changes = fc.tuple(fc.array(change, { minLength: 1, maxLength: 8 }), fc.nat(whole.length), fc.boolean());
    fc.assert(
      fc.property(changes, ([edits, length, isCut]) => {
        const bytes = Buffer.from(isCut ? whole.subarray(0, length) : whole);
        for (const { at, byte } of edits) if (at < bytes.length) bytes[at] = byte;
        let file: ReturnType<typeof mmdbOf>;
        try {
          file = mmdbOf(bytes);
        } catch {
          return;
        }
        for (const address of ['203.0.113.7', '2001:db8::1', '198.51.100.1', '0.0.0.0', 'ffff::']) {
          try {
            placeWords(geoPlaceOf(file.recordOf(address)), languages.in('en'));
          } catch (error) {
            expect(error).toBeInstanceOf(Error);
          }
        }
      }),
      { numRuns: 500 },
    );
  });
});

/** The same description with another number of its format. */
function reform(end: Buffer): Buffer {
  const name = encode('binary_format_major_version');
  const at = end.indexOf(name) + name.length;
  return Buffer.concat([end.subarray(0, at + 4), Buffer.from([3]), end.subarray(at + 5)]);
}

/** A list of two references to a list of two references, and so on: read one by one, 2^n of them. */
function doubling(times: number): Buffer {
  const lists = Array.from({ length: times }, (_, n) => {
    const next = reference((n + 1) * (2 + 2 * 5));
    return Buffer.concat([control(11, 2), next, next]);
  });
  return Buffer.concat([...lists, encode('the end')]);
}
