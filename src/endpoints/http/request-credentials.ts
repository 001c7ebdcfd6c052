import { type ClientCredentials, readClientCredentials } from '../../clients/client-credentials.ts';
import type { DeviceRequest } from './endpoint.ts';

/** @throws {OAuthError} as `readClientCredentials` */
export function credentialsOf({ headers, form }: DeviceRequest): ClientCredentials {
  return readClientCredentials(headers.authorization, {
    client_id: form.get('client_id'),
    client_secret: form.get('client_secret'),
    client_assertion: form.get('client_assertion'),
    client_assertion_type: form.get('client_assertion_type'),
  });
}
