import type { Safeguards } from '../clients/registered-client.ts';
import type { GeoPlace } from '../geo/geo-place.ts';

/** Where a request came from, and where the person is who answers it. */
export interface JudgedPlaces {
  requester: GeoPlace | undefined;
  person: GeoPlace | undefined;
}

/** A country that is not known is no other one. People travel and have VPNs: hence never more than `warn`. */
export function judgePlace(mode: Safeguards['place'], { requester, person }: JudgedPlaces): 'ok' | 'warn' {
  if (mode === 'off' || requester?.countryCode === undefined || person?.countryCode === undefined) return 'ok';
  return requester.countryCode === person.countryCode ? 'ok' : 'warn';
}
