import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { inspect } from 'node:util';
import { describe, expect, it } from 'vitest';
import { ConfigError, formatProblem } from '../../../src/config/config-error.ts';
import { loadConfig } from '../../../src/config/load-config.ts';
import { Secret } from '../../../src/sealing/secret.ts';
import { ecPrivate, ecPublic, jwks, rsaPrivate, rsaPublic, sealingKey } from './keys.ts';
import { folderWith, leastFile, problemsOf, read, STRONG } from './written.ts';

describe('the least file', () => {
  const config = read(leastFile());

  it('has every default of the design', () => {
    expect(config).toMatchObject({
      publicUrl: 'http://127.0.0.1:8080',
      listen: { host: '127.0.0.1', port: 8080 },
      operations: undefined,
      source: { trustedProxies: [], forwardedHeader: 'x-forwarded-for' },
      drainSeconds: 10,
      log: { level: 'info' },
      storage: { driver: 'memory' },
      sealing: undefined,
      signing: undefined,
      resourceServers: [],
      networks: [],
      userCodes: { alphabet: 'BCDFGHJKLMNPQRSTVWXZ', length: 8, group: 4 },
      verificationUriComplete: '{verification_uri}?user_code={user_code}',
      limits: {
        wrongCodesPerSource: 50,
        wrongCodesTotal: 1000,
        wrongCodesPerBrowser: 10,
        wrongCodesPerSubject: 20,
        failedAuthenticationsPerSource: 20,
        failedAuthenticationsPerClient: 1000,
        approvalsPerSubject: 20,
        startsPerSource: 60,
        pendingPerSource: 1000,
        pendingPerClient: 100_000,
        pendingTotal: 1_000_000,
      },
      audit: { chain: false },
      compatibility: {
        djangoOAuthToolkit: false,
        authlete: false,
        auth0: false,
        github: false,
        microsoft: false,
        paths: {},
      },
    });
    expect(config.upstreams).toEqual([
      {
        id: 'corp',
        displayName: 'corp',
        issuer: 'https://sso.example.com',
        clientId: 'gatehouse',
        authentication: 'none',
        scopes: ['openid', 'profile', 'email'],
        claims: { subject: 'sub', name: 'name', email: 'email', groups: { from: 'groups', keys: false } },
        groupsOverage: 'off',
        responseMode: 'query',
        frontChannelLogout: false,
        authorizationParameters: {},
        toleranceSeconds: 3600,
        clockToleranceSeconds: 30,
        reach: { timeoutSeconds: 10, allowsPrivateAddresses: true, endpoints: {} },
        userinfo: 'auto',
        offlineAccess: 'auto',
        uncheckedSessionSeconds: 12 * 3600,
        recheckSeconds: 0,
      },
    ]);
    expect(config.clients).toEqual([
      {
        id: 'cli',
        name: 'Build CLI',
        authentication: 'none',
        published: false,
        startWithoutSecret: false,
        grantTypes: ['device_code', 'refresh_token'],
        upstreams: ['corp'],
        tokens: 'mint',
        relayIdToken: false,
        idTokenOnRefresh: true,
        scopes: { allowed: ['openid', 'profile', 'email', 'offline_access'], default: ['openid'] },
        resources: [],
        claims: { idToken: [], accessToken: [], standard: true },
        signingAlg: 'RS256',
        accessTokenType: 'at+jwt',
        subject: 'prefixed',
        refreshTokens: 'always',
        approvers: {},
        lifetimes: {
          codeSeconds: 600,
          accessTokenSeconds: 600,
          refreshIdleSeconds: 30 * 86_400,
          refreshAbsoluteSeconds: 90 * 86_400,
        },
        intervalSeconds: 5,
        origins: [],
        require: [],
        redeliverySeconds: 0,
        refreshGraceSeconds: 30,
        endOnLogout: true,
        safeguards: {
          profile: 'standard',
          arrival: 'warn',
          complete: 'type_suffix',
          sameNetwork: 'warn',
          place: 'warn',
          initiateFrom: [],
          approveFrom: [],
          acr: [],
          amr: [],
          holdSeconds: 0,
          reverseCode: 'off',
          local: 'offered',
          campaign: 'alert',
          refreshNetwork: 'warn',
        },
      },
    ]);
  });

  it('warns that keys are made at start', () => {
    const said = config.warnings.map(formatProblem).join('\n');
    expect(said).toMatch(/keys\.signing: .*made at start/);
    expect(said).toMatch(/keys\.sealing: .*made at start/);
  });

  it('is frozen to the last list', () => {
    const frozen = (value: unknown): boolean =>
      typeof value !== 'object' || value === null || (Object.isFrozen(value) && Object.values(value).every(frozen));
    expect(frozen(config)).toBe(true);
  });
});

describe('problems', () => {
  const mistakes = `public_url: http://login.example.com
listen: { port: 99999 }
drain: 10
storage: { driver: reddis }
upstreams:
  corp:
    isuer: https://sso.example.com
    client_id: gatehouse
    client_secret: hunter2
clients:
  cli:
    name: Build CLI
    interval: 5
    upstreams: [corpo]
    scopes: { allowed: [openid], default: [email] }
    claims: [sub]
    lifetimes: { code: 3h }
user_codes: { alphabet: numeric, length: 6 }
networks: { oslo: { cidrs: [10.0.0.0/99] } }
pages: { languages: [tlh] }
`;

  it('are all found at once, in the order of the file', () => {
    expect(problemsOf(mistakes).map(({ line, column, key }) => `${line}:${column} ${key}`)).toEqual([
      '1:13 public_url',
      '2:17 listen.port',
      '3:8 drain',
      '4:20 storage.driver',
      '6:3 upstreams.corp.issuer',
      '7:5 upstreams.corp.isuer',
      '9:20 upstreams.corp.client_secret',
      '13:15 clients.cli.interval',
      '14:17 clients.cli.upstreams[0]',
      '15:44 clients.cli.scopes.default[0]',
      '16:14 clients.cli.claims[0]',
      '17:24 clients.cli.lifetimes.code',
      '18:42 user_codes.length',
      '19:29 networks.oslo.cidrs[0]',
      '20:22 pages.languages[0]',
    ]);
  });

  it('print as file:line:col key: found, expected', async () => {
    const file = join(folderWith({ 'gatehouse.yaml': mistakes }), 'gatehouse.yaml');
    const error: unknown = await loadConfig(file, {}).catch((reason: unknown) => reason);
    expect(error).toBeInstanceOf(ConfigError);
    expect((error as Error).message.split('\n')).toContain(
      `${file}:2:17 listen.port: found 99999, expected a whole number from 0 to 65535`,
    );
    expect((error as Error).message).not.toContain('hunter2');
  });

  it('say nothing about rules between keys of which one is wrong itself', () => {
    const keys = problemsOf(leastFile({ client: 'scopes: { allowed: 1, default: [email] }' })).map(({ key }) => key);
    expect(keys).toEqual(['clients.cli.scopes.allowed']);
    expect(
      problemsOf('upstreams: { corp: 1 }\npublic_url: x\nclients: { cli: { name: a, upstreams: [corp] } }'),
    ).toHaveLength(2);
  });

  it('are found in both of two keys of one name', () => {
    const text = `${leastFile({ client: 'interval: 1' })}\n  cli:\n    name: Again\n    interval: 2`;
    expect(problemsOf(text).map(({ line, key }) => `${line} ${key}`)).toEqual([
      '9 clients.cli.interval',
      '10 clients.cli',
      '12 clients.cli.interval',
    ]);
  });

  it.each([
    ['no file', undefined, /cannot be read \(there is no such file\)/],
    ['an empty file', '', /^public_url: is missing/],
    ['a text', 'hello', /expected the keys public_url/],
    ['broken YAML', 'a: [1', /cannot be read as YAML/],
    ['two documents', 'a: 1\n---\nb: 2', /cannot be read as YAML/],
    ['a key that objects have', 'clients: { __proto__: { name: x } }', /__proto__ cannot be a key/],
    ['an unknown tag', 'public_url: !secret x', /cannot be read as YAML/],
    [
      'aliases that multiply',
      `a: &a [1,1,1,1,1,1,1,1,1,1]\nb: &b [${'*a,'.repeat(99)}]\nc: &c [${'*b,'.repeat(99)}]\nd: [${'*c,'.repeat(99)}]`,
      /YAML: aliases bring this file to more than 5000000 values/,
    ],
  ])('of %s', async (_, text, words) => {
    const file = join(folderWith(text === undefined ? {} : { 'g.yaml': text }), 'g.yaml');
    const error = await loadConfig(file, {}).catch((reason: unknown) => reason);
    expect(error).toBeInstanceOf(ConfigError);
    const problem = (error as ConfigError).problems[0];
    expect(`${problem?.key}: ${problem?.text}`.replace('(file): ', '')).toMatch(words);
  });
});

describe('secrets', () => {
  const withSecret = (ref: string) => leastFile({ upstream: `client_secret: ${ref}` });

  it('come from the environment', () => {
    const config = read(withSecret('{ env: S }'), { environment: { S: 'hunter2' } });
    expect(config.upstreams[0]?.clientSecret?.reveal()).toBe('hunter2');
    expect(config.upstreams[0]?.authentication).toBe('client_secret_basic');
    expect(inspect(config, { depth: null }) + JSON.stringify(config)).not.toContain('hunter2');
  });

  it.each([
    ['hunter2\n', 'hunter2'],
    ['hunter2\r\n', 'hunter2'],
    ['-----BEGIN X-----\r\nAAAA\r\n-----END X-----\r\n', '-----BEGIN X-----\r\nAAAA\r\n-----END X-----'],
    ['{\n  "keys": []\n}\n', '{\n  "keys": []\n}'],
    [' hunter2 ', ' hunter2 '],
  ])('come from a file beside the YAML, less one final newline (%j)', (content, value) => {
    const config = read(withSecret('{ file: secret.txt }'), { files: { 'secret.txt': content } });
    expect(config.upstreams[0]?.clientSecret?.reveal()).toBe(value);
    expect(config.filesRead.at(-1)).toMatch(/secret\.txt$/);
  });
});

it('a client may have a name that objects have', () => {
  const top = 'resource_servers: { constructor: { audience: https://a.example, client_secret: { env: S } } }';
  expect(read(leastFile({ clientId: 'toString', top }), { environment: { S: STRONG } }).clients[0]?.id).toBe(
    'toString',
  );
});

describe('settings that are worked out', () => {
  it.each([
    ['https://login.example.com/', 'https://login.example.com'],
    ['https://login.example.com/sso/', 'https://login.example.com/sso'],
    ['https://LOGIN.example.com:443', 'https://login.example.com'],
    ['http://[::1]:8080', 'http://[::1]:8080'],
    ['http://localhost:8080', 'http://localhost:8080'],
    ['http://gatehouse.localhost:8080', 'http://gatehouse.localhost:8080'],
  ])('public_url %s is %s', (url, publicUrl) => {
    const top = 'trusted_proxies: []\nstorage: { driver: memory }';
    expect(read(leastFile({ url: `"${url}"`, top })).publicUrl).toBe(publicUrl);
  });

  it('networks, in one way to write them', () => {
    const top = "trusted_proxies: [192.0.2.7, '2001:DB8:0::/32', '::ffff:198.51.100.7/120', 10.1.2.3/8]";
    expect(read(leastFile({ top })).source.trustedProxies).toEqual([
      '192.0.2.7/32',
      '2001:db8::/32',
      '198.51.100.0/24',
      '10.0.0.0/8',
    ]);
  });

  it('hosts and log level of the environment win', () => {
    const environment = {
      GATEHOUSE_LISTEN_HOST: '0.0.0.0',
      GATEHOUSE_OPERATIONS_HOST: '::',
      GATEHOUSE_LOG_LEVEL: 'debug',
    };
    const config = read(leastFile({ top: 'operations: {}\nlog: { level: error }' }), { environment });
    expect(config).toMatchObject({ listen: { host: '0.0.0.0' }, operations: { host: '::', port: 9090 } });
    expect(config.log.level).toBe('debug');
    expect(read(leastFile(), { environment }).operations).toBeUndefined();
  });

  it('who may ask the admin API', () => {
    const admin = (text: string) =>
      read(leastFile({ top: `operations: { ${text} }` }), { environment: { TOKEN: STRONG } });
    expect(admin('port: 1').admin).toBeUndefined();
    expect(admin('admin: { token: { env: TOKEN } }').admin).toEqual({ by: 'token', token: new Secret(STRONG) });
    const byGroup = admin('admin: { upstream: corp, groups: [helpdesk] }');
    const audience = 'gatehouse-admin';
    expect(byGroup.admin).toEqual({ by: 'upstream', upstream: 'corp', groups: ['helpdesk'], audience });
    const warnings = (text: string) => admin(text).warnings.filter(({ key }) => key === 'operations.admin');
    expect(warnings('admin: { upstream: corp, groups: [helpdesk] }')).toEqual([]);
    expect(warnings('host: 0.0.0.0')).toEqual([]);
    const reached = warnings('host: 0.0.0.0, admin: { upstream: corp, groups: [helpdesk] }');
    expect(reached).toMatchObject([{ text: expect.stringContaining('plain http') }]);
  });

  it('a strict profile, and what overrides it', () => {
    const safeguards = (text: string) => read(leastFile({ client: `safeguards: ${text}` })).clients[0]?.safeguards;
    expect(safeguards('strict')).toEqual({
      profile: 'strict',
      arrival: 'strict',
      complete: 'type_all',
      sameNetwork: 'require',
      place: 'warn',
      initiateFrom: [],
      approveFrom: [],
      prompt: 'login',
      acr: [],
      amr: [],
      holdSeconds: 5,
      reverseCode: 'supported',
      local: 'offered',
      campaign: 'suspend',
      refreshNetwork: 'require',
    });
    expect(safeguards('open')).toMatchObject({
      arrival: 'warn',
      complete: 'compare',
      sameNetwork: 'off',
      campaign: 'off',
    });
    expect(
      safeguards('{ profile: strict, hold: 0s, complete: off, initiate_from: [192.0.2.1], max_age: 5m }'),
    ).toMatchObject({
      profile: 'strict',
      holdSeconds: 0,
      complete: 'off',
      initiateFrom: ['192.0.2.1/32'],
      maxAgeSeconds: 300,
      prompt: 'login',
    });
    expect(safeguards('{ arrival: strict }')).toMatchObject({ profile: 'standard', arrival: 'strict' });
  });

  it.each([
    ['client_secret: { env: S }', 'client_secret'],
    ['jwks: { file: public.json }', 'private_key_jwt'],
    ['authentication: client_secret_post\nclient_secret: { env: S }', 'client_secret_post'],
  ])('a client with %s authenticates by %s', (client, authentication) => {
    const around = { environment: { S: STRONG }, files: { 'public.json': jwks(ecPublic, rsaPublic) } };
    expect(read(leastFile({ client }), around).clients[0]?.authentication).toBe(authentication);
  });

  it('inline public keys of a client', () => {
    const client = `jwks: { keys: [${JSON.stringify(ecPublic)}] }`;
    expect(read(leastFile({ client })).clients[0]?.jwks).toEqual({ keys: [ecPublic] });
  });

  it.each([
    ['one key', JSON.stringify(ecPrivate)],
    ['a set', jwks(ecPrivate)],
  ])('a private key for an upstream, out of %s', (_, file) => {
    const config = read(leastFile({ upstream: 'private_key: { file: k }' }), { files: { k: file } });
    expect(config.upstreams[0]?.authentication).toBe('private_key_jwt');
    expect(JSON.parse(config.upstreams[0]?.assertionKey?.jwk.reveal() ?? '')).toEqual(ecPrivate);
  });

  // Web Crypto judges these members too, each release a little differently, and only when the key is used.
  it('of a key no more than itself, its name and what it is for', () => {
    const more = { key_ops: ['verify', 'x'], ext: false, x5t: 5, oth: null };
    const client = `jwks: { keys: [${JSON.stringify({ ...ecPublic, key_ops: ['sign'], ext: 0, x5c: [] })}] }`;
    const upstream = 'private_key: { file: k }';
    const config = read(leastFile({ client, upstream }), { files: { k: JSON.stringify({ ...ecPrivate, ...more }) } });
    expect(config.clients[0]?.jwks).toEqual({ keys: [ecPublic] });
    expect(JSON.parse(config.upstreams[0]?.assertionKey?.jwk.reveal() ?? '')).toEqual(ecPrivate);
  });

  it('keys in the order of the file', () => {
    const [first, second] = [sealingKey(), sealingKey()];
    const config = read(leastFile({ top: 'keys: { sealing: [{ env: A }, { env: B }], signing: { file: s } }' }), {
      environment: { A: first, B: second },
      files: { s: jwks(ecPrivate, rsaPrivate) },
    });
    expect(config.sealing?.keys.map((key) => key.reveal())).toEqual([first, second]);
    expect(config.signing?.keys.map(({ kid }) => kid)).toEqual(['e1', 'r1']);
    expect(config.warnings).toEqual([]);
  });

  it('never idle for longer than the absolute life', () => {
    const [client] = read(leastFile({ client: 'lifetimes: { refresh_absolute: 7d }' })).clients;
    expect(client?.lifetimes).toMatchObject({ refreshIdleSeconds: 7 * 86_400, refreshAbsoluteSeconds: 7 * 86_400 });
  });

  it('no openid by default where it is not allowed, and no refresh tokens without the grant', () => {
    const [client] = read(leastFile({ client: 'scopes: { allowed: [read] }\ngrant_types: [device_code]' })).clients;
    expect(client).toMatchObject({ scopes: { allowed: ['read'], default: [] }, refreshTokens: 'never' });
  });

  it('a scope is described in one language or in several', () => {
    const top = 'scopes: { read: { description: Read }, write: { description: { en: Write, pt-BR: Escrever } } }';
    expect(read(leastFile({ top })).scopeDescriptions).toEqual({
      read: 'Read',
      write: { en: 'Write', 'pt-BR': 'Escrever' },
    });
    for (const wrong of ['{}', '{ English: Write }', '{ en: "" }', '[Write]']) {
      expect(problemsOf(leastFile({ top: `scopes: { write: { description: ${wrong} } }` })), wrong).toHaveLength(1);
    }
  });

  it('a language is one of ours, or has a file in the folder of views', () => {
    const lines = { top: 'pages: { languages: [en, fi, en], views: views }' };
    const files = { 'views/languages/fi.json': '{}' };
    expect(read(leastFile(lines), { files }).pages.languages).toEqual(['en', 'fi']);
    expect(problemsOf(leastFile(lines), { files: { 'views/languages/sv.json': '{}' } })).toHaveLength(1);
    for (const wrong of ['../en', 'EN', 'e', 'fi/../../x']) {
      expect(problemsOf(leastFile({ top: `pages: { languages: ["${wrong}"] }` })), wrong).toHaveLength(1);
    }
  });

  it.each([
    ['broken JSON', 'fi', '{ "confirm": ', /languages\/fi\.json is no JSON: /],
    ['a list', 'fi', '[]', /fi\.json has no sections of texts/],
    ['null', 'fi', 'null', /fi\.json has no sections of texts/],
    [
      'a section that is null',
      'fi',
      '{ "confirm": null }',
      /fi\.json has null at confirm, expected a text or a section/,
    ],
    ['a number', 'fi', '{ "confirm": { "deny": 1 } }', /fi\.json has 1 at confirm\.deny, expected a text/],
    ['a text for a section', 'fi', '{ "confirm": "x" }', /fi\.json has a text at confirm, expected a section/],
    ['a section for a text', 'fi', '{ "confirm": { "deny": {} } }', /fi\.json has a section at confirm\.deny/],
    ['a fault in a correction of ours', 'de', '{', /languages\/de\.json is no JSON/],
    ['a fault in English, which is not offered', 'en', '{ "done": [] }', /en\.json has \[\] at done/],
  ])('a file of words is refused with %s', (_, code, words, fault) => {
    const lines = { top: 'pages: { languages: [de, fi], views: views }' };
    const files = { 'views/languages/fi.json': '{}', [`views/languages/${code}.json`]: words };
    const problems = problemsOf(leastFile(lines), { files });
    expect(problems).toHaveLength(1);
    expect(problems[0]?.text).toMatch(fault);
  });

  it.each(['zh-yue', 'de-abc', 'de-1ab', 'xx-a1'])('the language %s, which Intl refuses, is refused', (tag) => {
    const files = { [`views/languages/${tag}.json`]: '{}' };
    const problems = problemsOf(leastFile({ top: `pages: { languages: [${tag}], views: views }` }), { files });
    expect(problems).toHaveLength(1);
    expect(problems[0]?.text).toMatch(/is no language tag/);
  });

  it.each([
    ['<% if (x) { %>', /confirm\.ejs is no template: /],
    ['<%= x', /confirm\.ejs is no template: Could not find matching close tag/],
    ['<p><%= ) %></p>', /confirm\.ejs is no template: /],
  ])('a template %s is refused', (template, fault) => {
    const lines = { top: 'pages: { views: views }' };
    const files = { 'views/confirm.ejs': template, 'views/layout.ejs': '<%= title %>' };
    const problems = problemsOf(leastFile(lines), { files });
    expect(problems).toHaveLength(1);
    expect(problems[0]?.text).toMatch(fault);
  });

  it('a logo becomes a data: URI', () => {
    const config = read(leastFile({ top: 'pages: { logo: logo.svg }' }), { files: { 'logo.svg': '<svg/>' } });
    expect(config.pages.logo).toBe(`data:image/svg+xml;base64,${Buffer.from('<svg/>').toString('base64')}`);
  });

  it('logos of clients and for dark colours are read like the logo, and problems have their place', () => {
    const files = { 'logo.svg': '<svg/>', 'dark.svg': '<svg/>' };
    const config = read(leastFile({ top: 'pages: { logo_dark: dark.svg }', client: 'logo: logo.svg' }), { files });
    expect(config.pages.logoDark).toMatch(/^data:image\/svg\+xml;base64,/);
    expect(config.clients[0]?.logo).toMatch(/^data:image\/svg\+xml;base64,/);
    for (const logo of ['logo.txt', 'https://cdn.example/logo.svg', 'missing.svg']) {
      expect(problemsOf(leastFile({ client: `logo: ${logo}` })), logo).toHaveLength(1);
    }
  });

  it('support is a line, or a page, an address and a number that are links', () => {
    const support =
      '{ text: Questions?, url: "https://help.example.com/it", email: it@example.com, phone: +47 22 00 00 00 }';
    expect(read(leastFile({ top: `pages: { support: ${support} }` })).pages).toMatchObject({
      support: 'Questions?',
      supportLinks: [
        { href: 'https://help.example.com/it', text: 'help.example.com/it' },
        { href: 'mailto:it@example.com', text: 'it@example.com' },
        { href: 'tel:+4722000000', text: '+47 22 00 00 00' },
      ],
    });
    expect(read(leastFile({ top: 'pages: { support: Call 1234 }' })).pages).toMatchObject({ support: 'Call 1234' });
    for (const wrong of [
      '{ url: "javascript:alert(1)" }',
      '{ email: nobody }',
      '{ phone: call us }',
      '{ fax: 1 }',
      '[x]',
    ]) {
      expect(problemsOf(leastFile({ top: `pages: { support: ${wrong} }` })), wrong).not.toHaveLength(0);
    }
  });

  it('what is merged in with << counts as written', () => {
    const text = leastFile({ client: '<<: &usual { interval: 7s }' });
    expect(read(`${text}\n  tv: { <<: *usual, name: TV }`).clients.map((client) => client.intervalSeconds)).toEqual([
      7, 7,
    ]);
  });

  it.each([
    ['user_codes: { alphabet: base20, length: 6 }', true],
    ['user_codes: { alphabet: base20, length: 5 }', false],
    ['user_codes: { alphabet: numeric, length: 8 }', true],
    ['user_codes: { alphabet: numeric, length: 7 }', false],
    ['user_codes: { alphabet: numeric, length: 7 }\nlimits: { wrong_codes_per_source: 9 }', true],
    ['user_codes: { alphabet: numeric, length: 7 }\nlimits: { wrong_codes_per_source: 10 }', false],
    ['user_codes: { alphabet: numeric, length: 6 }\nlimits: { wrong_codes_per_source: 0 }', true],
  ])('%j is enough to guess: %s', (top, isEnough) => {
    expect(problemsOf(leastFile({ top })).length === 0).toBe(isEnough);
  });

  it('takes plain subjects where one upstream says them, and warns where two clients have them from two', () => {
    const upstreamId = 'labs: { issuer: https://labs.example.com, client_id: gatehouse }\n  corp';
    expect(
      read(leastFile({ client: 'subject: plain' }))
        .warnings.map(formatProblem)
        .join(),
    ).not.toContain('plain');
    const one = leastFile({ upstreamId, client: 'upstreams: [corp]\nsubject: plain' });
    expect(read(one).clients[0]?.subject).toBe('plain');
    expect(read(one).warnings.map(formatProblem).join()).not.toContain('plain');
    const other = (upstream: string) => `${one}\n  tv: { name: TV, upstreams: [${upstream}], subject: plain }`;
    expect(read(other('corp')).warnings.map(formatProblem).join()).not.toContain('plain');
    expect(read(other('labs')).warnings.map(formatProblem).join()).toMatch(
      /clients\.tv\.subject.*plain at labs, and cli is plain at corp/,
    );
  });

  it('warns where wrong codes are not limited', () => {
    const { warnings } = read(leastFile({ top: 'limits: { wrong_codes_per_source: 0 }' }));
    expect(warnings.map(formatProblem).join('\n')).toMatch(
      /wrong_codes_per_source: 0 lets one source try codes without end/,
    );
  });

  it.each([
    ['audit: { chain: true }', ''],
    ['log: { level: warn }', ''],
    ['audit: { chain: true }\nlog: { level: warn }', 'audit.chain: has only lines that are written'],
  ])('%s', (top, warned) => {
    const warnings = read(leastFile({ top })).warnings.map(({ key, text }) => `${key}: ${text}`);
    const said = warnings.filter((text) => text.includes('audit'));
    expect(said).toEqual(warned === '' ? [] : [expect.stringContaining(warned)]);
  });

  it('reads the file anew each time', async () => {
    const file = join(folderWith({ 'g.yaml': leastFile() }), 'g.yaml');
    expect((await loadConfig(file, {})).clients[0]?.intervalSeconds).toBe(5);
    writeFileSync(file, leastFile({ client: 'interval: 9s' }));
    expect((await loadConfig(file, {})).clients[0]?.intervalSeconds).toBe(9);
  });
});
