// An API behind keycloak-connect, as its manual shows it: Express, bearer-only. Told by the environment, says JSON lines.
import { once } from 'node:events';
import { createRequire } from 'node:module';

const { ISSUER, TOKEN, MODULES } = process.env;
const require = createRequire(`${MODULES}/`);
const express = require('express');
const Keycloak = require('keycloak-connect');

const [server, realm] = ISSUER.includes('/realms/') ? ISSUER.split('/realms/') : [ISSUER, 'none'];
const keycloak = new Keycloak(
  {},
  { realm, 'auth-server-url': server, resource: 'api', 'bearer-only': true, 'ssl-required': 'none' },
);
const app = express();
app.use(keycloak.middleware());
app.get('/me', keycloak.protect(), (request, response) => response.json(request.kauth.grant.access_token.content));
const listening = app.listen(0, '127.0.0.1');
await once(listening, 'listening');
const response = await fetch(`http://127.0.0.1:${listening.address().port}/me`, {
  headers: { authorization: `Bearer ${TOKEN}` },
});
const text = await response.text();
console.log(JSON.stringify(response.ok ? { taken: JSON.parse(text).sub } : { refused: `${response.status} ${text}` }));
process.exit(response.ok ? 0 : 1);
