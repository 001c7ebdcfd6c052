import { decodeJwt } from 'jose';
import { GRANT_TYPES } from '../../oauth/grant-types.ts';
import type { DeviceReply, Endpoint } from '../http/endpoint.ts';

/** The name that the grant type had in a draft, and that Microsoft's libraries kept. */
const DRAFT_GRANT = 'device_code';

/**
 * A token endpoint for MSAL: it takes the draft's grant type, and who asks by `client_info=1` is told who signed in and
 * where, which MSAL's cache is kept by.
 *
 * @param tenant stands for the tenant that Microsoft would name
 */
export function withMicrosoftHabits(token: Endpoint, tenant: string): Endpoint {
  return async (request) => {
    const { form } = request;
    // In the request itself, since whoever logs or counts looks at it afterwards.
    if (form.get('grant_type') === DRAFT_GRANT) request.form = form.with('grant_type', GRANT_TYPES.device_code);
    const reply = await token(request);
    return form.get('client_info') === '1' ? withClientInfo(reply, tenant) : reply;
  };
}

function withClientInfo(reply: DeviceReply, tenant: string): DeviceReply {
  const { status, body } = reply;
  if (status !== 200 || typeof body !== 'object') return reply;
  const subject = subjectIn((body as Record<string, unknown>)['id_token']);
  if (subject === undefined) return reply;
  const info = Buffer.from(JSON.stringify({ uid: subject, utid: tenant })).toString('base64url');
  return { ...reply, body: { ...body, client_info: info } };
}

/** Only of an ID token: a relayed access token is the upstream's business. */
function subjectIn(idToken: unknown): string | undefined {
  return typeof idToken === 'string' ? decodeJwt(idToken).sub : undefined;
}
