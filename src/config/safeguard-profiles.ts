import type { Safeguards } from '../clients/registered-client.ts';
import type { ClientSection } from './schema/client-schema.ts';

type Profile = Safeguards['profile'];

const NOTHING = {
  sameNetwork: 'off',
  place: 'off',
  initiateFrom: [],
  approveFrom: [],
  acr: [],
  amr: [],
  holdSeconds: 0,
  reverseCode: 'off',
  local: 'off',
  campaign: 'off',
  refreshNetwork: 'off',
} as const;

/** `open` suits televisions in homes, `standard` a company, `strict` clients whose tokens are worth an attack. */
export const SAFEGUARD_PROFILES: Readonly<Record<Profile, Safeguards>> = {
  open: { ...NOTHING, profile: 'open', arrival: 'warn', complete: 'compare' },
  standard: {
    ...NOTHING,
    profile: 'standard',
    arrival: 'warn',
    complete: 'type_suffix',
    sameNetwork: 'warn',
    local: 'offered',
    place: 'warn',
    campaign: 'alert',
    refreshNetwork: 'warn',
  },
  strict: {
    ...NOTHING,
    profile: 'strict',
    arrival: 'strict',
    complete: 'type_all',
    sameNetwork: 'require',
    place: 'warn',
    prompt: 'login',
    holdSeconds: 5,
    reverseCode: 'supported',
    local: 'offered',
    campaign: 'suspend',
    refreshNetwork: 'require',
  },
};

/** A profile with what was written beside it. */
export function resolveSafeguards(section: ClientSection['safeguards']): Safeguards {
  if (typeof section === 'string') return SAFEGUARD_PROFILES[section];
  const { prompt, max_age: maxAgeSeconds } = section;
  const profile = SAFEGUARD_PROFILES[section.profile];
  return {
    ...profile,
    arrival: section.arrival ?? profile.arrival,
    complete: section.complete ?? profile.complete,
    sameNetwork: section.same_network ?? profile.sameNetwork,
    place: section.place ?? profile.place,
    initiateFrom: section.initiate_from ?? profile.initiateFrom,
    approveFrom: section.approve_from ?? profile.approveFrom,
    ...(prompt !== undefined && { prompt }),
    ...(maxAgeSeconds !== undefined && { maxAgeSeconds }),
    acr: section.acr ?? profile.acr,
    amr: section.amr ?? profile.amr,
    holdSeconds: section.hold ?? profile.holdSeconds,
    reverseCode: section.reverse_code ?? profile.reverseCode,
    local: section.local ?? profile.local,
    campaign: section.campaign ?? profile.campaign,
    refreshNetwork: section.refresh_network ?? profile.refreshNetwork,
  };
}
