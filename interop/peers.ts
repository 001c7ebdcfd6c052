import type { Peer } from './peer.ts';
import { keycloak } from './peers/keycloak.ts';
import { mds } from './peers/mds.ts';
import { oidcProvider } from './peers/oidc-provider.ts';
import { requestsOauth2client } from './peers/requests-oauth2client.ts';
import { xoauth2 } from './peers/xoauth2.ts';

/** In the order in which they run. */
export const PEERS: readonly Peer[] = [keycloak, oidcProvider, mds, xoauth2, requestsOauth2client];

/** Those that .ci/run runs too. */
export const QUICK = ['keycloak', 'mds', 'x/oauth2', 'requests-oauth2client'];
