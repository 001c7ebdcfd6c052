import type { Peer } from './peer.ts';
import { authlibServer } from './peers/authlib-server.ts';
import {
  envoyResource,
  goOidc,
  joseResource,
  keycloakConnect,
  nginxResource,
  pyjwtResource,
  springAtJwt,
  springResource,
} from './peers/consumers.ts';
import { djangoOAuthToolkit } from './peers/django-oauth-toolkit.ts';
import { keycloak } from './peers/keycloak.ts';
import { mds } from './peers/mds.ts';
import { nimbus } from './peers/nimbus.ts';
import { msalNode, oauth4webapi, openidClient } from './peers/npm-clients.ts';
import { oidcAgent } from './peers/oidc-agent.ts';
import { oidcChild } from './peers/oidc-child.ts';
import { oidcProvider } from './peers/oidc-provider.ts';
import { psql } from './peers/psql.ts';
import {
  authlib,
  azureIdentity,
  huggingface,
  msal,
  requestsOauth2client,
  requestsOauthlib,
} from './peers/python-clients.ts';
import { oauth2Crate, openidconnectCrate } from './peers/rust-clients.ts';
import { scribejava } from './peers/scribejava.ts';
import { spring } from './peers/spring.ts';
import { gatehousePackage, helmChart, keycloakDemo } from './peers/tools.ts';
import { xoauth2 } from './peers/xoauth2.ts';

/** In the order in which they run. */
export const PEERS: readonly Peer[] = [
  ...[keycloak, oidcProvider, djangoOAuthToolkit, authlibServer, spring],
  ...[mds, xoauth2, requestsOauth2client, requestsOauthlib, msal, authlib, openidClient, oauth4webapi],
  ...[
    oauth2Crate,
    openidconnectCrate,
    nimbus,
    huggingface,
    azureIdentity,
    msalNode,
    scribejava,
    oidcAgent,
    oidcChild,
    psql,
  ],
  ...[keycloakDemo, gatehousePackage, helmChart],
  ...[springResource, keycloakConnect, goOidc, joseResource, pyjwtResource, springAtJwt, nginxResource, envoyResource],
];

/** Those that .ci/run runs too. */
export const QUICK = ['keycloak', 'mds', 'x/oauth2', 'requests-oauth2client', 'jose', 'pyjwt'];
