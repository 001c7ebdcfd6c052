// A device with msal-node, at an OpenID provider of its own. Told by the environment, says JSON lines.
import { createRequire } from 'node:module';

const { ISSUER, CLIENT_ID, STEPS = '', MODULES } = process.env;
const require = createRequire(`${MODULES}/`);
const { PublicClientApplication } = require('@azure/msal-node');

const say = (event) => console.log(JSON.stringify(event));
const answer = ({ accessToken, idToken }) => ({ access_token: accessToken, id_token: idToken });

try {
  const authority = ISSUER.replace(/\/v2\.0$/, '');
  const app = new PublicClientApplication({
    auth: { clientId: CLIENT_ID, authority, knownAuthorities: [new URL(ISSUER).host] },
  });
  // openid, profile and offline_access are always asked for.
  const scopes = ['email'];
  const result = await app.acquireTokenByDeviceCode({
    scopes,
    deviceCodeCallback: ({ userCode, verificationUri }) =>
      say({ code: { user_code: userCode, verification_uri: verificationUri } }),
  });
  say({ tokens: answer(result) });
  if (STEPS.includes('refresh')) {
    say({ refreshed: answer(await app.acquireTokenSilent({ account: result.account, scopes, forceRefresh: true })) });
  }
  process.exit(0);
} catch (error) {
  say({ refused: `${error.errorCode ?? ''} ${error.message} ${error.subError ?? ''}` });
  process.exit(1);
}
