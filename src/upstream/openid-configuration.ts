import type * as OpenIdClient from 'openid-client';
import { assertionKey, basicCredentials } from './client-authentication.ts';
import { signingAlgorithms } from './signing-algorithms.ts';
import type { ProviderMetadata } from './upstream-requests.ts';
import type { UpstreamSettings } from './upstream-settings.ts';

type Library = typeof OpenIdClient;

/** The library, and what it needs to know of one upstream and of us. */
export interface Configured {
  oidc: Library;
  config: OpenIdClient.Configuration;
}

/**
 * What openid-client is told about one upstream. It is made once for what the upstream publishes, since it copies all
 * of that; the library is loaded at the first request, so that starting need not wait for it.
 */
export class OpenIdConfiguration {
  readonly #settings: UpstreamSettings;
  readonly #clock: () => number;
  #authentication: Promise<OpenIdClient.ClientAuth> | undefined;
  #made: (Configured & { metadata: ProviderMetadata; clockSkewSeconds: number }) | undefined;

  constructor(settings: UpstreamSettings, clock: () => number) {
    this.#settings = settings;
    this.#clock = clock;
  }

  async for(metadata: ProviderMetadata): Promise<Configured> {
    const oidc = await import('openid-client');
    this.#authentication ??= authenticationOf(oidc, this.#settings);
    const authentication = await this.#authentication;
    const { clientId, clockToleranceSeconds } = this.#settings;
    const clockSkewSeconds = Math.round((this.#clock() - Date.now()) / 1000);
    if (this.#made?.metadata === metadata && this.#made.clockSkewSeconds === clockSkewSeconds) return this.#made;
    const server = { ...metadata, id_token_signing_alg_values_supported: signingAlgorithms(metadata) };
    const config = new oidc.Configuration(
      server as OpenIdClient.ServerMetadata,
      clientId,
      { [oidc.clockSkew]: clockSkewSeconds, [oidc.clockTolerance]: clockToleranceSeconds },
      authentication,
    );
    // Our own deadline ends the whole operation.
    config.timeout = 0;
    // Which addresses may be http is for the one way out to say.
    oidc.allowInsecureRequests(config);
    this.#made = { oidc, config, metadata, clockSkewSeconds };
    return this.#made;
  }
}

async function authenticationOf(oidc: Library, settings: UpstreamSettings): Promise<OpenIdClient.ClientAuth> {
  const secret = settings.clientSecret?.reveal() ?? '';
  switch (settings.authentication) {
    case 'none':
      return oidc.None();
    case 'client_secret_basic':
      return (_server, _client, _body, headers) => {
        headers.set('authorization', basicCredentials(settings.clientId, secret));
      };
    case 'client_secret_post':
      return oidc.ClientSecretPost(secret);
    case 'private_key_jwt':
      // openid-client makes the issuer the only audience, as RFC 7523bis asks. The type keeps the assertion from being
      // taken for any other token that is signed with the same key.
      return oidc.PrivateKeyJwt(await assertionKey(settings), {
        [oidc.modifyAssertion]: (header) => {
          header['typ'] = 'client-authentication+jwt';
        },
      });
  }
}
