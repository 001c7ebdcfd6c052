import { existsSync, mkdirSync, readdirSync, readFileSync, statSync, writeFileSync } from 'node:fs';
import { createServer, type Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest';
import { parse } from 'yaml';
import { configJsonSchema } from '../../src/config/schema/json-schema.ts';
import { emptyFolder, runInit } from '../support/broker/init-run.ts';
import { runCli } from '../support/broker/run-cli.ts';
import { selfSigned } from '../support/samples/self-signed.ts';
import { type FakeUpstream, startFakeUpstream } from '../support/upstream/fake-upstream.ts';
import { PROVIDER_DOCUMENTS } from '../support/upstream/provider-documents.ts';

let folder: string;
let remove: () => Promise<void>;
let upstream: FakeUpstream;
let servers: Server[];
let file: string;
let secretFile: string;
beforeEach(async () => {
  ({ folder, remove } = await emptyFolder());
  upstream = await startFakeUpstream();
  servers = [];
  vi.stubEnv('npm_command', '');
  file = join(folder, 'config/gatehouse.yaml');
  secretFile = join(folder, 'corp.txt');
  writeFileSync(secretFile, 'a secret of some length\n', { mode: 0o600 });
});
afterEach(async () => {
  vi.unstubAllEnvs();
  await upstream.close();
  for (const server of servers) server.close();
  await remove();
});

/** As a script says it. */
const said = (...more: string[]) => [
  ...['--issuer', upstream.issuer, '--client-id', 'gatehouse', '--client-secret-file', secretFile, '--config', file],
  ...more,
];

interface Document {
  status?: number;
  headers?: Record<string, string>;
  body: string | object;
}

const NOTHING: Document = { status: 404, body: { error: 'Realm does not exist' } };

/** Answers with what stands at a path, and 404 elsewhere. */
async function serve(documents: (origin: string) => Record<string, Document>): Promise<string> {
  const server = createServer((request, response) => {
    const found = documents(origin)[request.url ?? ''] ?? NOTHING;
    const isText = typeof found.body === 'string';
    const type = isText ? 'text/html' : 'application/json';
    response.writeHead(found.status ?? 200, { 'content-type': type, connection: 'close', ...found.headers });
    response.end(isText ? found.body : JSON.stringify(found.body));
  });
  servers.push(server);
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  const origin = `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
  return origin;
}

const metadataOf = (issuer: string) => ({
  issuer,
  authorization_endpoint: `${issuer}/authorize`,
  token_endpoint: `${issuer}/token`,
  jwks_uri: `${issuer}/jwks`,
  id_token_signing_alg_values_supported: ['RS256'],
});

const modeOf = (name: string) => (statSync(join(folder, 'config', name)).mode & 0o777).toString(8);

describe('gatehouse init in a script', () => {
  it('writes a file that check passes, keys that nobody else reads, and the schema beside it', async () => {
    const { code, out, err } = await runInit(said());
    expect({ code, err }).toEqual({ code: 0, err: '' });
    const text = readFileSync(file, 'utf8');
    expect(text.split('\n')[0]).toBe('# yaml-language-server: $schema=gatehouse.schema.json');
    expect(text).not.toContain('a secret of some length');
    expect(readdirSync(join(folder, 'config')).toSorted()).toEqual([
      'gatehouse.schema.json',
      'gatehouse.yaml',
      'sealing.key',
      'signing-keys.json',
    ]);
    expect([modeOf('sealing.key'), modeOf('signing-keys.json')]).toEqual(['600', '600']);
    const schema = JSON.parse(readFileSync(join(folder, 'config/gatehouse.schema.json'), 'utf8'));
    expect(schema).toMatchObject({ $id: expect.stringMatching(/^https:.*\.schema\.json$/), ...configJsonSchema() });
    const check = await runCli('check', '--config', file);
    expect(check).toMatchObject({ code: 0, err: '', out: expect.stringMatching(/0 wrong, 0 to look at\n$/) });
    expect(out).toContain('Redirect URI: http://127.0.0.1:8080/callback/corp');
    expect(out).toContain(`gatehouse check --probe --config ${file}`);
    // The last word is the next command.
    expect(out.trim().split('\n').at(-1)).toBe('  gatehouse login --issuer http://127.0.0.1:8080 --client-id cli');
  });

  it('writes what was asked for, and check --probe is content', async () => {
    const options = [
      '--public-url',
      'http://127.0.0.1:8899/sso/',
      '--upstream',
      'acme',
      '--display-name',
      'Acme: "A" & Söhne',
    ];
    const more = ['--client', 'build-cli', '--client-name', "Build's #1", '--yes'];
    expect(await runInit(said(...options, ...more))).toMatchObject({ code: 0 });
    expect(parse(readFileSync(file, 'utf8'))).toMatchObject({
      public_url: 'http://127.0.0.1:8899/sso',
      listen: { host: '127.0.0.1', port: 8899 },
      upstreams: { acme: { display_name: 'Acme: "A" & Söhne', issuer: upstream.issuer, client_id: 'gatehouse' } },
      clients: { 'build-cli': { name: "Build's #1" } },
    });
    writeFileSync(secretFile, upstream.clientSecret, { mode: 0o600 });
    const { code, out } = await runCli('check', '--probe', '--config', file);
    expect({ code, out }).toEqual({ code: 0, out: expect.stringContaining('\n0 wrong,') });
  });

  it('names a Redis and the proxy before it where the public URL is https', async () => {
    const options = ['--public-url', 'https://login.example.com', '--redis', 'redis://127.0.0.1:6379/3'];
    expect(await runInit(said(...options))).toMatchObject({ code: 0 });
    expect(parse(readFileSync(file, 'utf8'))).toMatchObject({
      trusted_proxies: ['127.0.0.1/32'],
      storage: { driver: 'redis', redis: { url: 'redis://127.0.0.1:6379/3' } },
    });
    expect(await runCli('check', '--config', file)).toMatchObject({ code: 0 });
  });

  it('says of https without Redis that sessions do not outlive the process', async () => {
    const { code, out } = await runInit(said('--public-url', 'https://login.example.com'));
    expect({ code, out }).toEqual({ code: 0, out: expect.stringContaining('lost at a restart') });
  });

  it('takes the secret from the environment, or none', async () => {
    vi.stubEnv('CORP_SECRET', 'a secret of some length');
    const options = ['--issuer', upstream.issuer, '--client-id', 'gatehouse'];
    expect(await runInit([...options, '--config', file, '--client-secret-env', 'CORP_SECRET'])).toMatchObject({
      code: 0,
    });
    expect(parse(readFileSync(file, 'utf8'))).toMatchObject({
      upstreams: { corp: { client_secret: { env: 'CORP_SECRET' } } },
    });
    const other = join(folder, 'other/gatehouse.yaml');
    expect(await runInit([...options, '--config', other, '--public-client'])).toMatchObject({ code: 0 });
    expect(parse(readFileSync(other, 'utf8'))).toMatchObject({ upstreams: { corp: { authentication: 'none' } } });
  });

  it('names the next commands as they can be called: by npx where it was run so', async () => {
    vi.stubEnv('npm_command', 'exec');
    const { out } = await runInit(said());
    expect(out).toContain('  npx gatehouse-broker check --probe');
  });

  it('writes where the environment says', async () => {
    vi.stubEnv('GATEHOUSE_CONFIG', file);
    const { code, out } = await runInit(said().filter((word) => word !== '--config' && word !== file));
    expect(code).toBe(0);
    expect(out).toContain('  gatehouse check --probe\n');
    expect(existsSync(file)).toBe(true);
  });

  it('writes nothing over: a configuration that is there is left, keys that are there are used', async () => {
    await runInit(said());
    const [text, key] = [readFileSync(file, 'utf8'), readFileSync(join(folder, 'config/sealing.key'), 'utf8')];
    const again = await runInit(said());
    expect(again).toMatchObject({
      code: 1,
      out: '',
      err: expect.stringContaining(`${file} is there already, and was left as it is`),
    });
    expect(readFileSync(file, 'utf8')).toBe(text);
    const second = join(folder, 'config/second.yaml');
    const { code, out } = await runInit([...said().slice(0, -1), second]);
    expect(code).toBe(0);
    expect(out).toContain('sealing.key was there, and is used as it is');
    expect(readFileSync(join(folder, 'config/sealing.key'), 'utf8')).toBe(key);
    expect(await runCli('check', '--config', second)).toMatchObject({ code: 0 });
  });

  it('takes back what it made where the whole would not be good', async () => {
    mkdirSync(join(folder, 'config'));
    writeFileSync(join(folder, 'config/sealing.key'), 'no key at all', { mode: 0o600 });
    const { code, err } = await runInit(said());
    expect(code).toBe(1);
    expect(err).toMatch(/^gatehouse init: keys\.sealing\[0\]: .*\nNothing was written\.\n$/s);
    expect(readdirSync(join(folder, 'config'))).toEqual(['sealing.key']);
    const redis = await runInit(said('--config', join(folder, 'x/g.yaml'), '--redis', 'redis://me:word@127.0.0.1'));
    expect(redis).toMatchObject({ code: 1, err: expect.stringContaining('storage.redis.url') });
    expect(redis.err).not.toContain('word@');
    expect(existsSync(join(folder, 'x'))).toBe(false);
  });

  it.each([
    [['--client-id', 'x'], 'say --issuer'],
    [
      ['--issuer', 'https://sso.example.com', '--client-id', 'x'],
      'one of --client-secret-file, --client-secret-env and --public-client',
    ],
    [['--public-client', '--client-secret-env', 'X'], 'say one of --client-secret-env, --public-client'],
    [['--upstream', 'No Such'], '--upstream: found "No Such", expected an id'],
    [['--client', ''], '--client is empty'],
    [['--public-url', 'http://login.example.com'], 'plain http is accepted on loopback only'],
    [['--public-url', 'login.example.com'], 'expected a URL that begins with https://'],
    [['--isuer', 'x'], 'did you mean --issuer?'],
    [['stray'], '"stray" is one word too many'],
  ])('%j is a mistake of usage: %s', async (options, words) => {
    const { code, out, err } = await runCli('init', '--config', file, ...options);
    expect({ code, out }).toEqual({ code: 64, out: '' });
    expect(err).toContain(words);
    expect(err).toMatch(/^gatehouse init: [^\n]+\ngatehouse init --help says what is possible\.\n$/);
    expect(existsSync(file)).toBe(false);
  });

  it.each([
    ['that is not there', ['--client-secret-file', 'nowhere.txt'], 'nowhere.txt is not there: put the secret'],
    ['that is a folder', ['--client-secret-file', '/'], '/ cannot be read (EISDIR)'],
    ['of a variable that is not set', ['--client-secret-env', 'NOT_SET_ANYWHERE'], 'NOT_SET_ANYWHERE is not set'],
    ['for which there is no CA', ['--public-client', '--ca', 'nowhere.pem'], 'nowhere.pem is not there'],
  ])('a secret %s', async (_, options, words) => {
    const run = await runInit(['--issuer', upstream.issuer, '--client-id', 'gatehouse', '--config', file, ...options]);
    expect(run).toMatchObject({ code: 1, out: '', err: expect.stringContaining(words) });
    expect(run.err).toMatch(/Nothing was written\.\n$/);
    expect(existsSync(file)).toBe(false);
  });
});

describe('gatehouse init at a provider', () => {
  it.each(PROVIDER_DOCUMENTS.filter(({ name }) => name !== 'Google'))(
    'like $name: check passes, and it says what to do there',
    async ({ name, issuerPath, metadata }) => {
      const address = `${issuerPath.replace(/\/$/, '')}/.well-known/openid-configuration`;
      const origin = await serve((at) => ({ [address]: { body: metadata(at) } }));
      const { code, out } = await runInit(said('--issuer', origin + issuerPath.replace(/\/$/, '')));
      expect(code).toBe(0);
      expect(out).toContain(`Register Gatehouse at ${name} (${origin}${issuerPath}):`);
      // The issuer stands there as the provider writes it, with its slash.
      expect(parse(readFileSync(file, 'utf8'))).toMatchObject({ upstreams: { corp: { issuer: origin + issuerPath } } });
      expect(await runCli('check', '--config', file)).toMatchObject({ code: 0, err: '' });
    },
  );

  it('that takes a secret in the body alone is spoken to so', async () => {
    const origin = await serve((at) => ({
      '/.well-known/openid-configuration': {
        body: { ...metadataOf(at), token_endpoint_auth_methods_supported: ['client_secret_post'] },
      },
    }));
    expect(await runInit(said('--issuer', origin))).toMatchObject({ code: 0 });
    expect(parse(readFileSync(file, 'utf8'))).toMatchObject({
      upstreams: { corp: { authentication: 'client_secret_post' } },
    });
  });

  it('that signs with the client secret alone is told of, as authentik without a signing key', async () => {
    upstream.behaviour = { discovery: { metadata: { id_token_signing_alg_values_supported: ['HS256'] } } };
    const { code, out } = await runInit(said());
    expect({ code, out }).toEqual({
      code: 0,
      out: expect.stringContaining('to look at: at the provider: it offers no signature'),
    });
  });

  const realm = (origin: string) => ({
    '/realms/corp/.well-known/openid-configuration': { body: metadataOf(`${origin}/realms/corp`) },
  });

  it.each([
    ['a sign-in page', '/realms/corp/protocol/openid-connect/auth?client_id=x'],
    ['the account console', '/realms/corp/account/'],
    ['the administrators’ console', '/admin/master/console/#/corp/clients'],
  ])('of which %s was pasted: the issuer is named, and nothing is written', async (_, path) => {
    const origin = await serve(realm);
    const { code, err } = await runInit(said('--issuer', origin + path));
    expect(code).toBe(1);
    expect(err).toContain(`If that is the one that you mean: --issuer ${origin}/realms/corp\n`);
    expect(existsSync(file)).toBe(false);
    expect(await runInit(said('--issuer', `${origin}/realms/corp`))).toMatchObject({ code: 0 });
  });

  it.each([
    ['sso.example.com', /names the issuer "sso\.example\.com", which is no http or https address/],
    ['', /names the issuer "", which is no/],
    ['javascript:alert(1)', /which is no http or https address/],
    ['https://\u001b[2Jevil', /which is no http or https address/],
    ['https://sso.example.com/\u202eproc', /which is no http or https address/],
    ['https://[', /which is no http or https address/],
  ])(
    'whose metadata name the issuer %j is refused by name, and nothing of it moves the cursor',
    async (issuer, fault) => {
      const origin = await serve(() => ({
        '/.well-known/openid-configuration': { body: { ...metadataOf('x'), issuer } },
      }));
      const { code, out, err } = await runInit(said('--issuer', origin));
      expect(code).toBe(1);
      expect(err).toMatch(fault);
      expect(out + err).not.toMatch(/[\p{Cf}\p{Co}]|(?!\n)\p{Cc}/u);
    },
  );

  it('whose issuer is a command is suggested as one word', async () => {
    const path = "/a;touch$IFS'x'";
    const origin = await serve((at) => ({
      '/.well-known/openid-configuration': { body: metadataOf(`${at}${path}`) },
      [`${path}/.well-known/openid-configuration`]: { body: metadataOf(`${at}${path}`) },
    }));
    const { err } = await runInit(said('--issuer', origin));
    expect(err).toContain(String.raw`--issuer '${origin}/a;touch$IFS'\''x'\'''`);
  });

  it('that speaks http on this machine, and was typed with https', async () => {
    const { code, err } = await runInit(said('--issuer', upstream.issuer.replace('http:', 'https:')));
    expect(code).toBe(1);
    expect(err).toContain(`If that is the one that you mean: --issuer ${upstream.issuer}\nNothing was written.\n`);
    expect(err.trim().split('\n')).toHaveLength(2);
  });

  it('takes the address of the metadata, a slash too much and a missing scheme for what they mean', async () => {
    const origin = await serve(realm);
    const forms = [
      `${origin}/realms/corp/.well-known/openid-configuration`,
      `${origin}/realms/corp//`,
      `${origin.slice(7)}/realms/corp`,
    ];
    for (const [index, typed] of forms.entries()) {
      const at = join(folder, `${index}/g.yaml`);
      expect(await runInit(said('--issuer', typed, '--config', at))).toMatchObject({ code: 0 });
      expect(parse(readFileSync(at, 'utf8'))).toMatchObject({
        upstreams: { corp: { issuer: `${origin}/realms/corp` } },
      });
    }
  });

  it.each<[string, (origin: string) => Record<string, Document>, string, string]>([
    ['a realm that is not there', realm, '/realms/crop', 'answers 404 "Realm does not exist"'],
    [
      'a page',
      () => ({ '/.well-known/openid-configuration': { body: '<h1>hello</h1>' } }),
      '',
      'answers 200, with a page and no metadata',
    ],
    [
      'a redirect',
      () => ({ '/.well-known/openid-configuration': { status: 302, headers: { location: '/login' }, body: {} } }),
      '',
      'a redirect to /login',
    ],
    [
      'an error of the server',
      () => ({ '/.well-known/openid-configuration': { status: 500, body: {} } }),
      '',
      'answers 500',
    ],
    ['a list', () => ({ '/.well-known/openid-configuration': { body: [1] } }), '', 'answers 200'],
    [
      'an issuer that is no text',
      () => ({ '/.well-known/openid-configuration': { body: { issuer: 7 } } }),
      '',
      'answers 200',
    ],
    [
      'another’s metadata',
      () => ({ '/.well-known/openid-configuration': { body: metadataOf('https://sso.invalid') } }),
      '',
      'name another issuer, https://sso.invalid, and there is no such provider there',
    ],
    [
      'any tenant',
      () => ({
        '/common/v2.0/.well-known/openid-configuration': {
          body: metadataOf('https://login.example.com/{tenantid}/v2.0'),
        },
      }),
      '/common/v2.0',
      'Name your own, by its id',
    ],
    [
      'no sign-in page',
      (at) => ({
        '/.well-known/openid-configuration': {
          body: { issuer: at, token_endpoint: `${at}/token`, jwks_uri: `${at}/jwks` },
        },
      }),
      '',
      'names no authorization_endpoint: people cannot sign in there',
    ],
  ])('that shows %s: what it is, and nothing is written', async (_, documents, path, words) => {
    const origin = await serve(documents);
    const run = await runInit(said('--issuer', origin + path));
    expect(run).toMatchObject({ code: 1, out: '', err: expect.stringContaining(words) });
    expect(run.err).toMatch(/^gatehouse init: .*Nothing was written\.\n$/s);
    expect(existsSync(file)).toBe(false);
  });

  it.each([
    ['http://sso.example.invalid/realms/corp', 'is not https (http is accepted on loopback only)'],
    ['https://sso.example.invalid', 'the name has no address: look at the DNS here'],
    ['http://127.0.0.1:1', 'nothing accepts connections there'],
    ['ftp://sso.example.com', 'is no address of a provider'],
    ['https://me:word@sso.example.com', 'is no address of a provider'],
  ])('that cannot be called, %s: %s', async (issuer, words) => {
    const run = await runInit(said('--issuer', issuer));
    expect(run).toMatchObject({ code: 1, out: '', err: expect.stringContaining(words) });
  });

  it('under a certificate of its own needs --ca, and then all of it works', async () => {
    const tls = selfSigned();
    const secured = await startFakeUpstream({ tls });
    try {
      const without = await runInit(said('--issuer', secured.issuer));
      expect(without).toMatchObject({ code: 1, err: expect.stringContaining('--ca FILE') });
      const ca = join(folder, 'ca.pem');
      writeFileSync(ca, tls.cert);
      expect(await runInit(said('--issuer', secured.issuer, '--ca', ca))).toMatchObject({ code: 0 });
      writeFileSync(secretFile, secured.clientSecret, { mode: 0o600 });
      expect(await runCli('check', '--probe', '--config', file)).toMatchObject({ code: 0 });
    } finally {
      await secured.close();
    }
  });
});

describe('gatehouse init on a terminal', () => {
  const SECRET = 'typed-and-never-shown';

  it('asks for the least, and writes the secret where nobody else reads it', async () => {
    const { code, out, err } = await runInit(
      ['--config', file],
      ['', upstream.issuer, 'gatehouse', 'Example Corp', SECRET, 'build-cli', 'Build CLI'],
    );
    expect(code).toBe(0);
    expect(out + err).not.toContain(SECRET);
    expect(modeOf('corp.secret')).toBe('600');
    expect(readFileSync(join(folder, 'config/corp.secret'), 'utf8')).toBe(`${SECRET}\n`);
    // What to register is said before the client's id and secret are asked for.
    expect(err.indexOf('Register Gatehouse at')).toBeLessThan(err.indexOf('Client ID'));
    expect(parse(readFileSync(file, 'utf8'))).toMatchObject({
      public_url: 'http://127.0.0.1:8080',
      upstreams: { corp: { display_name: 'Example Corp', client_secret: { file: 'corp.secret' } } },
      clients: { 'build-cli': { name: 'Build CLI' } },
    });
  });

  it('asks again, with what is wrong, until it is right', async () => {
    const answers = [
      ...['login.example.com', 'http://login.example.com', 'https://login.example.com'],
      ...['', 'http://127.0.0.1:1', upstream.issuer],
      ...['', 'gatehouse', '', SECRET, 'no id!', '', '', 'localhost', 'memory'],
    ];
    const { code, err } = await runInit(['--config', file], answers);
    expect(code).toBe(0);
    for (const words of [
      'expected a URL that begins with https://',
      'plain http is accepted on loopback only',
      '"" is no address of a provider',
      'nothing accepts connections there',
      'expected the client id',
      'expected an id of up to 128 characters',
      'say redis://host:port/db, or memory',
    ]) {
      expect(err).toContain(words);
    }
    expect(parse(readFileSync(file, 'utf8'))).toMatchObject({
      storage: { driver: 'memory' },
      trusted_proxies: ['127.0.0.1/32'],
    });
  });

  it('offers the issuer that was meant, and asks again where it was not', async () => {
    const origin = await serve((at) => ({
      '/realms/corp/.well-known/openid-configuration': { body: metadataOf(`${at}/realms/corp`) },
    }));
    const pasted = `${origin}/realms/corp/account`;
    const rest = ['gatehouse', '', SECRET, '', ''];
    const yes = await runInit(['--config', file], ['', pasted, '', ...rest]);
    expect(yes.code).toBe(0);
    expect(parse(readFileSync(file, 'utf8'))).toMatchObject({
      upstreams: { corp: { issuer: `${origin}/realms/corp` } },
    });
    const second = join(folder, 'second/g.yaml');
    expect(await runInit(['--config', second], ['', pasted, 'no', upstream.issuer, ...rest])).toMatchObject({
      code: 0,
    });
    expect(parse(readFileSync(second, 'utf8'))).toMatchObject({ upstreams: { corp: { issuer: upstream.issuer } } });
  });

  it('asks for nothing that was said', async () => {
    const { code, err } = await runInit(
      said('--public-url', 'http://127.0.0.1:8080', '--display-name', 'Corp', '--client', 'a', '--client-name', 'A'),
      [],
    );
    expect(code).toBe(0);
    expect(err).not.toContain(': ]');
    expect(err).not.toMatch(/Client ID that|Its name/);
  });

  it.each([
    ['at once', []],
    ['in the middle', ['', 'https']],
    ['at the secret', ['', 'ISSUER', 'gatehouse', '']],
  ])('writes nothing where the person leaves %s', async (_, answers) => {
    const typed = answers.map((answer) => (answer === 'ISSUER' ? upstream.issuer : answer));
    const { code, err } = await runInit(['--config', file], typed);
    expect(code).toBe(1);
    expect(err).toMatch(/Nothing was written\.\n$/);
    expect(existsSync(join(folder, 'config'))).toBe(false);
  });

  it('with --yes asks nothing there either', async () => {
    await expect(runInit(['--config', file, '--yes'], ['x'])).rejects.toThrow('nobody is asked here');
  });
});

describe('where a configuration is found', () => {
  it('in the person’s folder by every command, which says what it read', async () => {
    vi.stubEnv('XDG_CONFIG_HOME', folder);
    const usual = join(folder, 'gatehouse/gatehouse.yaml');
    expect(await runInit(said('--config', usual))).toMatchObject({ code: 0 });
    const was = process.cwd();
    process.chdir(folder);
    try {
      expect(await runCli('check')).toMatchObject({ code: 0, out: expect.stringContaining(`${usual} is good.`) });
      writeFileSync(usual, 'public_url: x\n');
      expect(await runCli('check')).toMatchObject({
        code: 78,
        err: expect.stringContaining(`${usual}:1:13 public_url`),
      });
    } finally {
      process.chdir(was);
    }
  });
});
