import { spawn, spawnSync } from 'node:child_process';
import { once } from 'node:events';
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { afterEach, describe, expect, it, vi } from 'vitest';
import { COMMANDS, runCommand } from '../../../src/cli/run-command.ts';
import { mmdb } from '../../support/mmdb.ts';
import { folderWith, leastFile } from './written.ts';

async function run(...argv: string[]): Promise<{ code: number; out: string; err: string }> {
  const out = vi.spyOn(process.stdout, 'write').mockReturnValue(true);
  const err = vi.spyOn(process.stderr, 'write').mockReturnValue(true);
  const code = await runCommand(argv);
  const said = { out: out.mock.calls.join(''), err: err.mock.calls.join('') };
  vi.restoreAllMocks();
  return { code, ...said };
}

function fileWith(text: string): string {
  return join(folderWith({ 'g.yaml': text }), 'g.yaml');
}

afterEach(() => vi.unstubAllEnvs());

describe('gatehouse', () => {
  it('has the commands of the design', () => {
    expect(Object.keys(COMMANDS)).toEqual([
      'init',
      'start',
      'check',
      'login',
      'token',
      'logout',
      'profiles',
      'helper',
      'run',
      'keys',
      'sessions',
      'end',
      'explain',
      'audit',
      'conformance',
      'schema',
      'completion',
      'version',
      'help',
    ]);
  });

  it.each([
    [],
    ['strat'],
    ['check', '--nope'],
    ['check', 'stray'],
    ['check', '--config'],
    ['schema', '--x'],
    ['toString'],
    ['help', 'toString'],
    ['help', 'check', 'stray'],
    ['version', '--x'],
    ['keys', 'destroy'],
    ['sessions', 'prune'],
    ['audit'],
    ['explain'],
    ['login', '--nonsense'],
    ['start', '--ready-line', 'x'],
    ['completion'],
    ['completion', 'bash', 'zsh'],
    ['sessions', 'list', '--dry-run'],
    ['keys', 'drop', 'kid', '--out', 'x'],
    ['check', '--config='],
    ['explain', 'reference', '--log', ''],
  ])('%s %s is a mistake of usage: 64, and help', async (...argv) => {
    const { code, out, err } = await run(...argv);
    expect(code).toBe(64);
    expect(out).toBe('');
    // One layout: which command, what is wrong, and what to do next.
    expect(err).toMatch(/^(gatehouse(?: \w+)?): .+\n\1 --help says what is possible\.\n$/);
  });

  it.each([
    [['strat'], 'there is no command "strat"; did you mean start?'],
    [['help', 'sesions'], 'there is no command "sesions"; did you mean sessions?'],
    [['frobnicate'], 'there is no command "frobnicate"\n'],
    [['check', '--prob'], 'there is no option --prob; did you mean --probe?'],
    [['end', '--clinet', 'tv'], 'there is no option --clinet; did you mean --client?'],
    [['login', '--no-qrr'], 'there is no option --no-qrr'],
    [['sessions', 'lst'], 'did you mean list?'],
    [['keys', 'genrate', 'signing'], 'did you mean generate?'],
    [['audit', 'verfy'], 'did you mean verify?'],
    [['start', '--ready-line', 'jsn'], 'did you mean json?'],
    [['completion', 'bsh'], 'did you mean bash?'],
    [['sessions', 'list', '--dry-run'], '--dry-run is for end'],
    [['end', '--all', '--active'], 'there is no option --active'],
    [['check', '--config', ''], '--config is empty: it needs --config FILE'],
    [['check', '-x'], 'there is no option -x'],
    [['check', 'stray'], '"stray" is one word too many'],
    [['check', '--config'], "Option '--config <value>' argument missing\n"],
  ])('%j: names what was most likely meant', async (argv, said) => {
    expect(await run(...argv)).toMatchObject({ code: 64, out: '', err: expect.stringContaining(said) });
  });

  it.each([['--version'], ['-V'], ['version']])('%s says which Gatehouse this is', async (...argv) => {
    const { version } = JSON.parse(readFileSync(join(import.meta.dirname, '../../../package.json'), 'utf8'));
    expect(await run(...argv)).toEqual({ code: 0, out: `gatehouse ${version}\n`, err: '' });
  });

  it.each(Object.keys(COMMANDS))('help %s is what its --help says', async (name) => {
    const { code, out, err } = await run('help', name);
    expect({ code, err }).toEqual({ code: 0, err: '' });
    expect(out).toMatch(/^Usage:/);
    expect(await run(name, '--help')).toEqual({ code, out, err });
  });

  it.each([['--help'], ['-h'], ['help'], ['check', '--help'], ['schema', '-h']])('%s %s helps', async (...argv) => {
    expect(await run(...argv)).toMatchObject({ code: 0, out: expect.stringContaining('Usage: gatehouse'), err: '' });
  });

  it('helps also where the rest of the line is wrong', async () => {
    expect(await run('check', '--nope', '--help')).toEqual(await run('help', 'check'));
  });

  it('says in the same layout what the system refuses: 1, without a stack', async () => {
    const { code, out, err } = await run('keys', 'rotate', 'signing', '--file', '/nowhere/keys.json');
    expect({ code, out }).toEqual({ code: 1, out: '' });
    expect(err).toMatch(/^gatehouse keys: [^\n]+\n$/);
  });

  it('ends with the code of its command', () => {
    const file = join(import.meta.dirname, '../../../src/cli/gatehouse.ts');
    const end = (...argv: string[]) =>
      spawnSync(process.execPath, ['--import', 'tsx', file, ...argv], { encoding: 'utf8' });
    expect(end('nope').status).toBe(64);
    expect(end('check', '--config', '/nowhere/g.yaml')).toMatchObject({
      status: 78,
      stderr: expect.stringMatching(/^\/nowhere\/g\.yaml:1:1 /),
    });
  });
});

describe('gatehouse check', () => {
  it('says what it understood, with the redirect URI of each upstream', async () => {
    const url = 'https://login.example.com/sso';
    const file = fileWith(leastFile({ url, top: 'trusted_proxies: []\nstorage: { driver: memory }' }));
    const { code, out, err } = await run('check', '--config', file);
    expect(code).toBe(0);
    expect(out).toContain('public URL: https://login.example.com/sso');
    expect(out).toContain('1 upstream:');
    expect(out).toContain('redirect URI to register there: https://login.example.com/sso/callback/corp');
    expect(out).toContain('1 client:');
    expect(err).toMatch(/^warning: .*keys\.signing/);
  });

  it('says in words who may approve, and nothing where anybody may', async () => {
    const conditions = [
      '{ claim: hd, any_of: [example.com, example.org] }',
      '{ claim: email_verified, is: true }',
      '{ claim: email, matches_domain: [Example.com] }',
    ].join(', ');
    const approvers = `approvers: { groups: [eng, 1001x], deny_groups: [contractors], require: [${conditions}] }`;
    const { out } = await run('check', '--config', fileWith(leastFile({ client: approvers })));
    expect(out).toContain(`
    may be approved where all of this holds:
      the person is in the group eng or 1001x
      the person is in no group called contractors
      the claim hd is, or has among its values, example.com or example.org
      the claim email_verified is true
      the claim email is an e-mail address in example.com
`);
    expect((await run('check', '--config', fileWith(leastFile()))).out).not.toContain('may be approved');
  });

  it('says what the files of geo are, and that a sign-in goes on without one that is broken', async () => {
    const top = 'geo: { file: city.mmdb, asn_file: asn.mmdb }';
    const folder = folderWith({ 'g.yaml': leastFile({ top }), 'city.mmdb': mmdb({}), 'asn.mmdb': 'cut off' });
    const { code, out } = await run('check', '--config', join(folder, 'g.yaml'));
    expect(code).toBe(0);
    expect(out).toContain(`geo.file: ok: ${join(folder, 'city.mmdb')} is Test-City of 2026-11-17`);
    expect(out).toContain(`geo.asn_file: missing: ${join(folder, 'asn.mmdb')} cannot be used (it is no MMDB file`);
    expect(out).toContain('0 wrong');
  });

  it('warns of an upstream that may give no refresh tokens', async () => {
    const file = fileWith(leastFile({ upstream: 'offline_access: never\nunchecked_session: 2h' }));
    const { code, err } = await run('check', '--config', file);
    expect(code).toBe(0);
    expect(err).toContain(`warning: ${file}:6:21 upstreams.corp.offline_access: never: where this provider gives no`);
    expect(err).toContain('device sessions live for unchecked_session (2h)');
    expect((await run('check', '--config', fileWith(leastFile()))).err).not.toContain('offline_access');
  });

  it('warns with file, line and column', async () => {
    const client = 'approvers:\n  require:\n    - { claim: email, matches_domain: [example.com] }';
    const file = fileWith(leastFile({ client }));
    const { code, err } = await run('check', '--config', file);
    expect(code).toBe(0);
    expect(err).toContain(
      `warning: ${file}:11:11 clients.cli.approvers.require[0]: matches_domain looks at an address that the person may have typed`,
    );
    const verified = client.replace('[example.com] }', '[example.com] }\n    - { claim: email_verified, is: true }');
    expect((await run('check', '--config', fileWith(leastFile({ client: verified })))).err).not.toContain('approvers');
  });

  it('reports every problem on stderr and ends with 78', async () => {
    const file = fileWith(leastFile({ client: 'interval: 5\nfoo: 1' }));
    const { code, out, err } = await run('check', '--config', file);
    expect(code).toBe(78);
    expect(out).toBe('2 wrong, 0 to look at\n');
    expect(err.trim().split('\n')).toEqual([
      `${file}:9:15 clients.cli.interval: found 5, expected a duration such as 90s, 10m, 12h or 30d`,
      expect.stringContaining(`${file}:10:5 clients.cli.foo: unknown key`),
    ]);
  });

  it('ends with the verdict, whatever it found', async () => {
    const last = async (yaml: string, ...more: string[]) =>
      (await run('check', '--config', fileWith(yaml), ...more)).out.trim().split('\n').at(-1);
    // Keys are made at start, which is two things to look at.
    expect(await last(leastFile())).toBe('0 wrong, 2 to look at');
    const away = leastFile({ upstream: 'authentication: none' }).replace(
      'https://sso.example.com',
      'http://127.0.0.1:9',
    );
    expect(await last(away, '--probe')).toBe('1 wrong, 2 to look at');
    expect(await last('public_url: x')).toMatch(/^\d wrong, 0 to look at$/);
  });

  it('is for programs with --json: a line of JSON each, the verdict last, and nothing on stderr', async () => {
    const lines = async (yaml: string, ...more: string[]) => {
      const { code, out, err } = await run('check', '--json', '--config', fileWith(yaml), ...more);
      expect(err).toBe('');
      return {
        code,
        said: out
          .trim()
          .split('\n')
          .map((line) => JSON.parse(line) as Record<string, unknown>),
      };
    };
    expect(await lines(leastFile({ client: 'interval: 5' }))).toEqual({
      code: 78,
      said: [
        {
          level: 'wrong',
          file: expect.any(String),
          line: 9,
          column: 15,
          key: 'clients.cli.interval',
          text: expect.any(String),
        },
        { verdict: '1 wrong, 0 to look at', wrong: 1, to_look_at: 0 },
      ],
    });
    const upstream = 'authentication: none';
    const away = leastFile({ upstream }).replace('https://sso.example.com', 'http://127.0.0.1:9');
    const { code, said } = await lines(away, '--probe');
    expect(code).toBe(69);
    expect(said[0]).toMatchObject({ level: 'warning', key: 'keys.signing', line: 1 });
    expect(said).toContainEqual({ level: 'away', about: 'upstream corp', text: expect.any(String) });
    expect(said.at(-1)).toEqual({ verdict: '1 wrong, 2 to look at', wrong: 1, to_look_at: 2 });
  });

  it('asks about the audience of a resource server that no client has', async () => {
    const servers = (audience: string) =>
      `resource_servers:\n  api:\n    audience: ${audience}\n    client_secret: { env: GATEHOUSE_TEST_SECRET }`;
    vi.stubEnv('GATEHOUSE_TEST_SECRET', 'wFhPJ3yqvZ0bnX5sQ8rT');
    const said = async (audience: string, client = '') => {
      const file = fileWith(leastFile({ top: servers(audience), client }));
      return (await run('check', '--config', file)).err.replaceAll(file, 'g.yaml');
    };
    expect(await said('https://api.example.com')).toContain(
      'warning: g.yaml:11:15 resource_servers.api.audience: https://api.example.com is no resource of any client',
    );
    expect(await said('https://api.example.com', 'resources: [https://API.example.com/]')).not.toContain('audience');
    // Of a client without resources the audience is public_url.
    expect(await said('http://127.0.0.1:8080')).not.toContain('audience');
    expect(await said('http://127.0.0.1:8080', 'resources: [https://api.example.com]')).toContain('is no resource');
  });

  it('reads the file that the environment names', async () => {
    vi.stubEnv('GATEHOUSE_CONFIG', fileWith(leastFile()));
    expect((await run('check')).code).toBe(0);
    vi.stubEnv('GATEHOUSE_CONFIG', '/nowhere/g.yaml');
    expect(await run('check')).toMatchObject({ code: 78, err: expect.stringContaining('/nowhere/g.yaml:1:1') });
  });

  it('ends with 69 when something that it probes is away', async () => {
    const upstream = 'authentication: none';
    const file = fileWith(leastFile({ upstream }).replace('https://sso.example.com', 'http://127.0.0.1:9'));
    const { code, out } = await run('check', '--probe', '--config', file);
    expect(code).toBe(69);
    expect(out).toMatch(/upstream corp: away: /);
  });
});

it('gatehouse schema prints a JSON Schema', async () => {
  const { code, out } = await run('schema');
  expect(code).toBe(0);
  expect(JSON.parse(out)).toMatchObject({ type: 'object', required: ['public_url', 'upstreams', 'clients'] });
});

it('a reader that has seen enough ends no command with a fault', async () => {
  const words = ['--import', 'tsx', 'src/cli/gatehouse.ts', 'schema'];
  const child = spawn(process.execPath, words, {
    cwd: join(import.meta.dirname, '../../..'),
    stdio: ['ignore', 'pipe', 'pipe'],
  });
  child.stdout.destroy();
  let said = '';
  child.stderr.setEncoding('utf8').on('data', (text: string) => {
    said += text;
  });
  expect(await once(child, 'close')).toEqual([0, null]);
  expect(said).toBe('');
});
