import { basicCredentials } from '../../../upstream/requests/client-authentication.ts';
import { errorOf, told } from '../answer.ts';
import { type Check, cannotBeSeen, fails, holds } from '../check.ts';

const UNKNOWN_CLIENT = 'no-such-client-of-a-conformance-run';

export const startPostOnly: Check = {
  id: 'start.post-only',
  title: 'codes are given for a POST alone',
  requirement: 'R1, RFC 8628 §3.1',
  level: 'should',
  async run(server) {
    const { clientId } = server.approach;
    const address = new URL(server.found.endpoints.start);
    for (const [name, value] of [['client_id', clientId] as const, ...server.scope()]) {
      address.searchParams.append(name, value);
    }
    const answer = await server.ask(address.href);
    return answer.json?.['device_code'] === undefined ? holds(told(answer)) : fails('a GET got codes');
  },
};

export const startClientRequired: Check = {
  id: 'start.client-required',
  title: 'without a client there are no codes',
  requirement: 'R3, RFC 8628 §3.1',
  level: 'must',
  async run(server) {
    const answer = await server.askForCodes([], {});
    if (answer.json?.['device_code'] !== undefined) return fails('codes came without a client');
    // How a refusal is written is a check of its own.
    return answer.status >= 400 && answer.status < 500 ? holds(told(answer)) : fails(told(answer));
  },
};

export const startUnknownClient: Check = {
  id: 'start.unknown-client',
  title: 'an unknown client gets invalid_client',
  requirement: 'R3, RFC 8628 §3.2 by RFC 6749 §5.2',
  level: 'must',
  async run(server) {
    const answer = await server.askForCodes([], { fields: [['client_id', UNKNOWN_CLIENT]] });
    const isRight = errorOf(answer) === 'invalid_client' && [400, 401].includes(answer.status);
    return isRight ? holds(told(answer)) : fails(told(answer));
  },
};

export const startClientAuthentication: Check = {
  id: 'start.client-authentication',
  title: 'a client with a secret gets no codes without it, nor with a wrong one',
  requirement: 'R4, RFC 8628 §3.1 by RFC 6749 §3.2.1',
  level: 'must',
  async run(server) {
    const { clientId, clientSecret } = server.approach;
    if (clientSecret === undefined) return cannotBeSeen('needs a client with a secret: --client-secret-file FILE');
    const bare = await server.askForCodes([], { fields: [['client_id', clientId]] });
    if (bare.json?.['device_code'] !== undefined) return fails('codes came for the client_id alone');
    const wrong = await server.askForCodes([], server.client(`not-${clientSecret.slice(0, 8)}`));
    if (wrong.json?.['device_code'] !== undefined) return fails('codes came for a wrong secret');
    return holds(`${told(bare)}, ${told(wrong)}`);
  },
};

export const startEmptyIsOmitted: Check = {
  id: 'start.empty-is-omitted',
  title: 'a parameter without a value is one that was left out',
  requirement: 'R6, RFC 8628 §3.1',
  level: 'must',
  async run(server) {
    const { start } = server.found.endpoints;
    const without = await server.post(start, []);
    const empty = await server.post(start, [['scope', '']]);
    const got = [without, empty].map(({ json }) => json?.['device_code'] !== undefined);
    return got[0] === got[1] ? holds() : fails(`without scope: ${told(without)}; with scope=: ${told(empty)}`);
  },
};

export const startUnknownIgnored: Check = {
  id: 'start.unknown-ignored',
  title: 'unknown parameters are ignored',
  requirement: 'R7, RFC 8628 §3.1',
  level: 'must',
  async run(server) {
    const answer = await server.askForCodes([
      ['x-no-such-parameter', 'yes'],
      ['__proto__', 'x'],
    ]);
    if (answer.json?.['device_code'] !== undefined) return holds();
    await server.start();
    return fails(told(answer));
  },
};

export const startNoRepeats: Check = {
  id: 'start.no-repeats',
  title: 'a parameter that came twice is invalid_request',
  requirement: 'R8, RFC 8628 §3.1 and RFC 6749 §5.2',
  level: 'should',
  async run(server) {
    const answer = await server.askForCodes([
      ['scope', 'openid'],
      ['scope', 'profile'],
    ]);
    return errorOf(answer) === 'invalid_request' ? holds() : fails(told(answer));
  },
};

export const startForm: Check = {
  id: 'start.form',
  title: 'a body that is no form is refused, and breaks nothing',
  requirement: 'R2, RFC 8628 §3.1',
  level: 'should',
  async run(server) {
    const body = JSON.stringify({ client_id: server.approach.clientId });
    const headers = { 'content-type': 'application/json' };
    const answer = await server.ask(server.found.endpoints.start, { method: 'POST', headers, body });
    if (answer.json?.['device_code'] !== undefined) return fails('JSON got codes');
    return answer.status >= 500 ? fails(told(answer)) : holds(told(answer));
  },
};

export const basicChallenge: Check = {
  id: 'start.basic-challenge',
  title: 'a client that failed with Basic gets 401 and WWW-Authenticate',
  requirement: 'RFC 6749 §5.2, by RFC 8628 §3.2',
  level: 'must',
  async run(server) {
    const answer = await server.askForCodes([], {
      headers: { authorization: basicCredentials(UNKNOWN_CLIENT, 'wrong') },
    });
    const challenge = answer.headers.get('www-authenticate') ?? '';
    if (answer.status === 401 && /^basic\b/i.test(challenge)) return holds();
    return fails(
      `${told(answer)}, ${challenge === '' ? 'without WWW-Authenticate' : `WWW-Authenticate: ${challenge}`}`,
    );
  },
};
