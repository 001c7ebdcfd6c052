import type { RegisteredClient } from '../clients/registered-client.ts';
import { copiedClaimNames } from './sign-in-facts.ts';

/** What a client's safeguards and the person's own wish ask of the upstream; each wins over the upstream's settings. */
export interface TripDemands {
  prompt?: string;
  maxAgeSeconds?: number;
  acrValues?: readonly string[];
  wantedClaims?: readonly string[];
}

/** @param wished by "use another account"; a prompt that the client requires is never weakened by it */
export function tripDemands(client: RegisteredClient, wished: 'login' | 'select_account' | undefined): TripDemands {
  const { prompt: required, maxAgeSeconds, acr } = client.safeguards;
  const prompt = required === 'login' ? required : (wished ?? required);
  const wantedClaims = copiedClaimNames(client);
  return {
    ...(prompt !== undefined && { prompt }),
    ...(maxAgeSeconds !== undefined && { maxAgeSeconds }),
    ...(acr.length > 0 && { acrValues: acr }),
    ...(wantedClaims.length > 0 && { wantedClaims }),
  };
}
