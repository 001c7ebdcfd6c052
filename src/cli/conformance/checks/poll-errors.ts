import { randomBytes } from 'node:crypto';
import { GRANT_TYPES } from '../../../oauth/grant-types.ts';
import { type Answer, errorOf, hasTokens, told } from '../answer.ts';
import { type Check, cannotBeSeen, fails, holds, type Verdict } from '../check.ts';
import { PENDING } from '../server-under-test.ts';

function expectError(answer: Answer, ...errors: string[]): Verdict {
  const isRight = answer.status >= 400 && answer.status < 500 && errors.includes(errorOf(answer) ?? '');
  return isRight ? holds(told(answer)) : fails(`${told(answer)}, expected ${errors.join(' or ')}`);
}

/** Whatever it says, but that it goes on; how a refusal is written is a check of its own. */
function expectRefusal(answer: Answer): Verdict {
  const isRefused = answer.status >= 400 && answer.status < 500 && !PENDING.has(errorOf(answer) ?? '');
  return isRefused ? holds(told(answer)) : fails(told(answer));
}

export const pollPending: Check = {
  id: 'poll.pending',
  title: 'who polls before anybody decided gets 400 authorization_pending',
  requirement: 'R24, RFC 8628 §3.5 by RFC 6749 §5.2',
  level: 'must',
  async run(server) {
    const answer = await server.poll(await server.start());
    if (answer.status === 400 && errorOf(answer) === 'authorization_pending') return holds();
    return fails(told(answer));
  },
};

export const pollGrantType: Check = {
  id: 'poll.grant-type',
  title: 'an unknown grant type is unsupported_grant_type, a missing one invalid_request',
  requirement: 'R21, RFC 8628 §3.4 and RFC 6749 §5.2',
  level: 'must',
  async run(server) {
    const { token } = server.found.endpoints;
    const unknown = await server.post(token, [['grant_type', 'urn:example:no-such-grant-type']]);
    // RFC 6749 lets a server look at the client first, and at what it may.
    const first = expectError(unknown, 'unsupported_grant_type', 'unauthorized_client');
    if (first.verdict === 'fails') return first;
    return expectError(await server.post(token, []), 'invalid_request', 'unsupported_grant_type');
  },
};

export const pollDeviceCodeRequired: Check = {
  id: 'poll.device-code-required',
  title: 'a poll without a device code is invalid_request',
  requirement: 'R21, RFC 8628 §3.4 and RFC 6749 §5.2',
  level: 'must',
  async run(server) {
    const { token } = server.found.endpoints;
    return expectError(await server.post(token, [['grant_type', GRANT_TYPES.device_code]]), 'invalid_request');
  },
};

export const pollUnknownCode: Check = {
  id: 'poll.unknown-code',
  title: 'a device code that nobody was given is invalid_grant',
  requirement: 'RFC 6749 §5.2',
  level: 'must',
  async run(server) {
    const deviceCode = randomBytes(32).toString('base64url');
    // Of one that is long gone a server may know no more than of one that never was.
    return expectError(await server.poll({ deviceCode }), 'invalid_grant', 'expired_token');
  },
};

export const pollUnknownClient: Check = {
  id: 'poll.unknown-client',
  title: 'an unknown client hears nothing of a code',
  requirement: 'R23, RFC 6749 §5.2',
  level: 'must',
  async run(server) {
    const start = await server.start();
    return expectRefusal(await server.poll(start, { fields: [['client_id', 'no-such-client-of-a-conformance-run']] }));
  },
};

export const pollOtherClient: Check = {
  id: 'poll.other-client',
  title: 'a code is worth nothing to another client, and stays what it was',
  requirement: 'R23, RFC 6749 §5.2',
  level: 'must',
  async run(server) {
    const { otherClientId } = server.approach;
    if (otherClientId === undefined) {
      return cannotBeSeen('needs a second client without a secret: --other-client-id ID');
    }
    const start = await server.start();
    const other = await server.poll(start, { fields: [['client_id', otherClientId]] });
    if (hasTokens(other) || PENDING.has(errorOf(other) ?? '')) return fails(told(other));
    const own = await server.poll(start);
    return PENDING.has(errorOf(own) ?? '') ? holds(told(other)) : fails(`afterwards its own client gets ${told(own)}`);
  },
};

export const pollClientAuthentication: Check = {
  id: 'poll.client-authentication',
  title: 'a client with a secret cannot poll without it',
  requirement: 'R22, RFC 8628 §3.4 by RFC 6749 §3.2.1',
  level: 'must',
  async run(server) {
    const { clientId, clientSecret } = server.approach;
    if (clientSecret === undefined) return cannotBeSeen('needs a client with a secret: --client-secret-file FILE');
    const bare = await server.poll(await server.start(), { fields: [['client_id', clientId]] });
    return expectRefusal(bare);
  },
};
