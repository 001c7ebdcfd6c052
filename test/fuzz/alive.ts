import { CookieJar } from '../../demo/cookie-jar.ts';
import { approve, ScriptedPerson } from '../../demo/scripted-person.ts';
import { newDpopKey } from '../support/broker/dpop-key.ts';
import { DEVICE_CODE_GRANT } from './hostile-values.ts';

const ED25519 = await newDpopKey('Ed25519');
const RSA = await newDpopKey('RS256');

/** Codes, tokens, cookies and tickets that are good at the broker now, so that hostile requests get past the first check. */
export type Alive = Readonly<Record<string, string>>;

export async function comeAlive(origin: string): Promise<Alive> {
  const [pending, approved, spent] = [await start(origin), await start(origin), await start(origin)];
  await approve(`${origin}/device`, approved.user_code, 'alice');
  await approve(`${origin}/device`, spent.user_code, 'alice');
  const tokens = await post(origin, '/token', {
    grant_type: DEVICE_CODE_GRANT,
    client_id: 'build-cli',
    device_code: spent.device_code,
  });
  return {
    origin,
    host: new URL(origin).host,
    deviceCode: pending.device_code,
    userCode: pending.user_code,
    approvedCode: approved.device_code,
    spentCode: spent.device_code,
    refreshToken: tokens['refresh_token'] ?? '',
    accessToken: tokens['access_token'] ?? '',
    idToken: tokens['id_token'] ?? '',
    ...(await proofsFor(origin)),
    ...(await browserOf(origin, pending.user_code)),
  };
}

/** Proofs of one key for the endpoints that take them, of keys of other kinds, and one whose key is as dear as can be. */
async function proofsFor(origin: string) {
  const key = await newDpopKey();
  const at = (path: string) => key.proof({ method: 'POST', address: origin + path });
  const dear = { kty: 'RSA', n: 'x'.repeat(512), e: 'x'.repeat(512) };
  return {
    proofForToken: await at('/token'),
    proofForStart: await at('/device_authorization'),
    proofWithDearKey: await key.proof({ method: 'POST', address: `${origin}/token`, header: { jwk: dear } }),
    proofOfEd25519: await ED25519.proof({ method: 'POST', address: `${origin}/token` }),
    proofOfRsa: await RSA.proof({ method: 'POST', address: `${origin}/token` }),
    jkt: key.jkt,
  };
}

async function start(origin: string) {
  const started = await post(origin, '/device_authorization', {
    client_id: 'build-cli',
    scope: 'openid offline_access',
  });
  if (started['device_code'] === undefined) throw new Error(`no start: ${JSON.stringify(started)}`);
  return started as { device_code: string; user_code: string };
}

async function post(origin: string, path: string, form: Record<string, string>): Promise<Record<string, string>> {
  const response = await fetch(origin + path, { method: 'POST', body: new URLSearchParams(form) });
  return (await response.json()) as Record<string, string>;
}

/** A browser that stands on the confirm page: its cookie, the token and the ticket of its form, and a state on its way. */
async function browserOf(origin: string, userCode: string) {
  const jar = new CookieJar();
  let state = '';
  const watched: typeof fetch = async (input, init) => {
    const response = await fetch(input, init);
    const url = new URL(input instanceof Request ? input.url : input);
    jar.store(url, response);
    state = url.searchParams.get('state') ?? state;
    return response;
  };
  const person = new ScriptedPerson({ fetch: watched });
  const form = await person.visit(`${origin}/device`);
  const [first] = form.forms.filter(({ fields }) => fields.has('user_code'));
  if (first === undefined) throw new Error('no code form');
  const confirm = await person.submit(form, first, { user_code: userCode });
  const fieldsOf = (path: string) =>
    new Map(confirm.forms.filter(({ action }) => action.pathname === path).flatMap((each) => [...each.fields]));
  const fields = fieldsOf('/device/confirm');
  return {
    cookie: jar.header(new URL(origin)),
    formToken: fields.get('token') ?? '',
    languageToken: fieldsOf('/language').get('token') ?? '',
    codeToken: first.fields.get('token') ?? '',
    ticket: fields.get('ticket') ?? '',
    session: '',
    state,
  };
}
