import type * as OpenIdClient from 'openid-client';
import { assertionKey, basicCredentials } from './requests/client-authentication.ts';
import type { ProviderMetadata } from './requests/upstream-requests.ts';
import { signingAlgorithms } from './signing-algorithms.ts';
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
  #library: Library | undefined;
  #key: ReturnType<typeof assertionKey> | undefined;
  #made: (Configured & { metadata: ProviderMetadata; clockSkewSeconds: number }) | undefined;

  constructor(settings: UpstreamSettings, clock: () => number) {
    this.#settings = settings;
    this.#clock = clock;
  }

  async for(metadata: ProviderMetadata): Promise<Configured> {
    this.#library ??= await import('openid-client');
    const oidc = this.#library;
    this.#key ??= this.#settings.authentication === 'private_key_jwt' ? assertionKey(this.#settings) : undefined;
    const key = await this.#key;
    const { clientId, clockToleranceSeconds } = this.#settings;
    const clockSkewSeconds = Math.round((this.#clock() - Date.now()) / 1000);
    if (this.#made?.metadata === metadata && this.#made.clockSkewSeconds === clockSkewSeconds) return this.#made;
    const server = { ...metadata, id_token_signing_alg_values_supported: signingAlgorithms(metadata) };
    const config = new oidc.Configuration(
      server as OpenIdClient.ServerMetadata,
      clientId,
      { [oidc.clockSkew]: clockSkewSeconds, [oidc.clockTolerance]: clockToleranceSeconds },
      key === undefined ? withSecret(oidc, this.#settings) : withAssertion(oidc, key, this.#settings, metadata),
    );
    // Our own deadline ends the whole operation.
    config.timeout = 0;
    // Which addresses may be http is for the one way out to say.
    oidc.allowInsecureRequests(config);
    this.#made = { oidc, config, metadata, clockSkewSeconds };
    return this.#made;
  }
}

function withSecret(
  oidc: Library,
  { authentication, clientId, clientSecret }: UpstreamSettings,
): OpenIdClient.ClientAuth {
  const secret = clientSecret?.reveal() ?? '';
  if (authentication === 'none') return oidc.None();
  if (authentication === 'client_secret_post') return oidc.ClientSecretPost(secret);
  return (_server, _client, _body, headers) => {
    headers.set('authorization', basicCredentials(clientId, secret));
  };
}

/**
 * By default what RFC 7523bis asks: the issuer is the only audience, and the type keeps the assertion from being taken
 * for any other token that is signed with the same key. A provider that wants its token endpoint there follows the older
 * text, which knows no such type.
 */
function withAssertion(
  oidc: Library,
  key: Awaited<ReturnType<typeof assertionKey>>,
  { assertionKey: said }: UpstreamSettings,
  metadata: ProviderMetadata,
): OpenIdClient.ClientAuth {
  const tokenEndpoint = metadata.published_token_endpoint ?? metadata.token_endpoint;
  const isForEndpoint = said?.audience === 'token_endpoint';
  return oidc.PrivateKeyJwt(key, {
    [oidc.modifyAssertion]: (header, payload) => {
      header['typ'] = isForEndpoint ? 'JWT' : 'client-authentication+jwt';
      Object.assign(header, said?.thumbprints);
      if (isForEndpoint && tokenEndpoint !== undefined) payload['aud'] = tokenEndpoint;
    },
  });
}
