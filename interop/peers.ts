import type { Peer } from './peer.ts';
import { mds } from './peers/mds.ts';
import { requestsOauth2client } from './peers/requests-oauth2client.ts';

/** In the order in which they run. */
export const PEERS: readonly Peer[] = [mds, requestsOauth2client];

/** Those that .ci/run runs too. */
export const QUICK = ['mds', 'requests-oauth2client'];
