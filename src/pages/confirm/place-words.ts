import type { GeoNames, GeoPlace } from '../../geo/geo-place.ts';
import type { Language } from '../frame/languages.ts';

/** "Oslo, Norway · Example ISP", as far as it is known, in the person's language where the file has it. */
export function placeWords(place: GeoPlace | undefined, language: Language): string | undefined {
  if (place === undefined) return undefined;
  const where = [nameIn(place.city, language.code) ?? anyName(place.city), countryWords(place, language)];
  const parts = [where.filter((name) => name !== undefined).join(', '), place.network];
  return parts.filter((part) => part !== undefined && part !== '').join(' · ');
}

/** Of a country the runtime knows the name in languages that the file lacks. */
function countryWords({ country, countryCode }: GeoPlace, language: Language): string | undefined {
  return (
    nameIn(country, language.code) ??
    (countryCode === undefined ? undefined : language.region(countryCode)) ??
    anyName(country)
  );
}

/** Files have `zh-CN` where we have `zh-Hans`, and `de` for each of its kinds. */
function nameIn(names: GeoNames, code: string): string | undefined {
  const { language, region } = new Intl.Locale(code).maximize();
  const tags = [code, `${language}-${region}`, language];
  return tags.map((tag) => names.get(tag)).find((name) => name !== undefined);
}

/** In English, else in whatever language there is. */
export function anyName(names: GeoNames): string | undefined {
  return names.get('en') ?? [...names.values()][0];
}
