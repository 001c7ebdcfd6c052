import { isLoopback } from '../../../network/loopback.ts';
import { GRANT_TYPES } from '../../../oauth/grant-types.ts';
import { type Check, cannotBeSeen, fails, holds } from '../check.ts';

const NO_METADATA = 'the server publishes no metadata at the places of RFC 8414 and OpenID Connect Discovery';

export const metadataIssuer: Check = {
  id: 'metadata.issuer',
  title: 'the metadata names the very issuer that they were asked for at',
  requirement: 'RFC 8414 §3.3',
  level: 'must',
  async run({ found, approach }) {
    if (found.address === undefined) return cannotBeSeen(NO_METADATA);
    const issuer = found.metadata?.['issuer'];
    if (issuer === undefined) return fails(`${found.address} is another issuer’s`);
    if (issuer === approach.issuer) return holds();
    return cannotBeSeen(`it is ${JSON.stringify(issuer)}: run again with that as --issuer`);
  },
};

export const metadataEndpoint: Check = {
  id: 'metadata.endpoint',
  title: 'the metadata names the device authorization endpoint, so that a device needs to know the issuer alone',
  requirement: 'R31, RFC 8628 §4 (the member is OPTIONAL)',
  level: 'should',
  async run({ found }) {
    if (found.metadata === undefined) return cannotBeSeen(NO_METADATA);
    const named = found.metadata['device_authorization_endpoint'];
    return typeof named === 'string' ? holds() : fails('there is no device_authorization_endpoint');
  },
};

export const metadataGrantType: Check = {
  id: 'metadata.grant-type',
  title: 'the metadata lists the grant type',
  requirement: 'R31, RFC 8628 §4',
  level: 'should',
  async run({ found }) {
    if (found.metadata === undefined) return cannotBeSeen(NO_METADATA);
    const listed = found.metadata['grant_types_supported'];
    if (Array.isArray(listed) && listed.includes(GRANT_TYPES.device_code)) return holds();
    return fails(`grant_types_supported is ${listed === undefined ? 'not there' : JSON.stringify(listed)}`);
  },
};

export const endpointsTls: Check = {
  id: 'endpoints.tls',
  title: 'devices and people are asked over TLS',
  requirement: 'R5, RFC 8628 §3.1',
  level: 'must',
  async run(server) {
    const { verificationUri } = await server.start();
    const { start, token } = server.found.endpoints;
    const addresses = [start, token, verificationUri]
      .filter((address) => URL.canParse(address))
      .map((address) => new URL(address));
    const open = addresses.filter(({ protocol }) => protocol !== 'https:');
    if (open.length === 0) return holds();
    const away = open.filter(({ hostname }) => !isLoopback(hostname));
    if (away.length > 0) return fails(`${away.map(({ href }) => href).join(' and ')} is not https`);
    return cannotBeSeen('this is a server on loopback, where http will do: ask it where it is in use');
  },
};
