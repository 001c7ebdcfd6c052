import { isVisibleLine, MAX_LINE } from '../grants/start/visible-line.ts';

/** Where an address is, and whose network it is in; any of it may be unknown. */
export interface GeoPlace {
  /** ISO 3166-1, two capital letters. */
  countryCode?: string | undefined;
  country: GeoNames;
  city: GeoNames;
  /** Who runs the network. */
  network?: string | undefined;
}

/** What something is called, by language tag. */
export type GeoNames = ReadonlyMap<string, string>;

/** Of what has a name in no language in particular. */
const ENGLISH = 'en';

/**
 * Reads a record of whatever maker: names are by language (`city.names.en`) or plain (`city: "Oslo"`), and each has its own
 * word for who runs the network. What the file says is shown beside what a person must believe, so a text that could cover
 * or turn its neighbours is left out, and a long one is cut.
 */
export function geoPlaceOf(record: unknown): GeoPlace {
  const country = memberOf(record, 'country') ?? memberOf(record, 'registered_country');
  const codes = [memberOf(country, 'iso_code'), memberOf(record, 'country_code'), country];
  const names = [memberOf(country, 'names'), memberOf(record, 'country_name'), country];
  const countryCode = codes.find((code): code is string => typeof code === 'string' && /^[A-Z]{2}$/.test(code));
  const city = memberOf(record, 'city');
  return {
    countryCode,
    country: firstNames(names.filter((name) => name !== countryCode)),
    city: firstNames([memberOf(city, 'names'), city]),
    network: networkOf(record),
  };
}

const NETWORK_MEMBERS = ['isp', 'organization', 'autonomous_system_organization', 'as_name'];

function networkOf(record: unknown): string | undefined {
  for (const holder of [memberOf(record, 'traits'), record]) {
    for (const name of NETWORK_MEMBERS) {
      const line = lineOf(memberOf(holder, name));
      if (line !== undefined) return line;
    }
  }
  return undefined;
}

function firstNames(candidates: readonly unknown[]): GeoNames {
  return candidates.map(namesOf).find(({ size }) => size > 0) ?? new Map();
}

function namesOf(value: unknown): GeoNames {
  if (Array.isArray(value)) return new Map();
  const entries = typeof value === 'object' && value !== null ? Object.entries(value) : [[ENGLISH, value] as const];
  const lines = entries.map(([language, name]) => [language, lineOf(name)] as const);
  return new Map(lines.filter((line): line is readonly [string, string] => line[1] !== undefined));
}

function lineOf(value: unknown): string | undefined {
  if (typeof value !== 'string') return undefined;
  const characters = Array.from(value.trim());
  const line = characters.length > MAX_LINE ? `${characters.slice(0, MAX_LINE - 1).join('')}…` : characters.join('');
  return isVisibleLine(line) ? line : undefined;
}

function memberOf(holder: unknown, name: string): unknown {
  if (typeof holder !== 'object' || holder === null || !Object.hasOwn(holder, name)) return undefined;
  return (holder as Record<string, unknown>)[name];
}
