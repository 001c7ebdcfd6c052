import { chmod, chown, mkdir, mkdtemp, readdir, readFile, rm, stat, symlink, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest';
import { run } from '../../src/cli/keys.ts';
import { runCommand } from '../../src/cli/run-command.ts';
import { parseSigningKeySet, type SigningKey } from '../../src/tokens/signing-key-set.ts';

let folder: string;
let stdout: string;
let stderr: string;
beforeEach(async () => {
  folder = await mkdtemp(join(tmpdir(), 'gatehouse-keys-'));
  stdout = '';
  stderr = '';
  vi.spyOn(process.stdout, 'write').mockImplementation((text) => {
    stdout += String(text);
    return true;
  });
  vi.spyOn(process.stderr, 'write').mockImplementation((text) => {
    stderr += String(text);
    return true;
  });
});
afterEach(async () => {
  vi.restoreAllMocks();
  vi.useRealTimers();
  vi.unstubAllEnvs();
  await rm(folder, { recursive: true });
});

const at = (name: string): string => join(folder, name);
const readKeys = async (name: string): Promise<SigningKey[]> => parseSigningKeySet(await readFile(at(name), 'utf8'));
const modeOf = async (name: string): Promise<number> => (await stat(at(name))).mode & 0o777;
const ofAlg = (keys: readonly SigningKey[], alg: string): string[] =>
  keys.filter((key) => key.alg === alg).map((key) => key.kid);

async function generated(): Promise<SigningKey[]> {
  expect(await run(['generate', 'signing', '--out', at('signing.json')])).toBe(0);
  return readKeys('signing.json');
}

describe('gatehouse keys generate', () => {
  it('signing: writes an RS256 and an ES256 key that only the owner can read, and says what to do with them', async () => {
    const keys = await generated();
    expect(keys.map(({ alg }) => alg)).toEqual(['RS256', 'ES256']);
    expect(await modeOf('signing.json')).toBe(0o600);
    expect(stdout).toContain(`signing: { file: "${at('signing.json')}" }`);
    for (const { kid, d } of keys) {
      expect(stdout).toContain(kid);
      expect(stdout).not.toContain(String(d));
    }
  });

  it('sealing: writes 32 bytes base64url, and the line for the configuration', async () => {
    expect(await run(['generate', 'sealing', '--out', at('sealing')])).toBe(0);
    const key = (await readFile(at('sealing'), 'utf8')).trimEnd();
    expect(Buffer.from(key, 'base64url')).toHaveLength(32);
    expect(await modeOf('sealing')).toBe(0o600);
    expect(stdout).toContain(`sealing: [{ file: "${at('sealing')}" }]`);
    expect(stdout).not.toContain(key);
  });

  it.each(['signing', 'sealing'])('%s: leaves a file that exists alone', async (kind) => {
    await writeFile(at('kept'), 'kept');
    expect(await run(['generate', kind, '--out', at('kept')])).toBe(1);
    expect(await readFile(at('kept'), 'utf8')).toBe('kept');
    expect(stderr).toContain('exists already');
    expect(await readdir(folder)).toEqual(['kept']);
  });

  it('says which folder is missing', async () => {
    expect(await run(['generate', 'sealing', '--out', at('nowhere/sealing')])).toBe(1);
    expect(stderr).toContain(`${at('nowhere')} is not there`);
  });
});

describe('gatehouse keys rotate signing', () => {
  it('appends a key per alg, and lets it sign when it is run again 10 minutes later', async () => {
    vi.useFakeTimers({ toFake: ['Date'] });
    const before = await generated();
    expect(await run(['rotate', 'signing', '--file', at('signing.json')])).toBe(0);
    const appended = await readKeys('signing.json');
    expect(appended.slice(0, 2)).toEqual(before);
    expect(appended).toHaveLength(4);
    expect(stdout).toContain('does not sign yet');

    expect(await run(['rotate', 'signing', '--file', at('signing.json')])).toBe(1);
    expect(await readKeys('signing.json')).toEqual(appended);
    expect(stderr).toContain('nothing was changed');

    vi.setSystemTime(Date.now() + 10 * 60_000);
    expect(await run(['rotate', 'signing', '--file', at('signing.json')])).toBe(0);
    const promoted = await readKeys('signing.json');
    for (const alg of ['RS256', 'ES256']) {
      expect(ofAlg(promoted, alg)).toEqual(ofAlg(appended, alg).toReversed());
    }
    expect(stdout).toContain(`gatehouse keys drop ${before[0]?.kid}`);
  });

  it('finds the file through the configuration, beside which it lies', async () => {
    await mkdir(at('conf'));
    await generated();
    await writeFile(at('conf/gatehouse.yaml'), 'keys: { signing: { file: ../signing.json } }\nclients: broken\n');
    expect(await run(['rotate', 'signing', '--config', at('conf/gatehouse.yaml')])).toBe(0);
    expect(await readKeys('signing.json')).toHaveLength(4);

    vi.stubEnv('GATEHOUSE_CONFIG', at('conf/gatehouse.yaml'));
    const waiting = ofAlg(await readKeys('signing.json'), 'ES256')[1] ?? '';
    expect(await run(['drop', waiting])).toBe(0);
    expect(await readKeys('signing.json')).toHaveLength(3);
  });

  it('leaves owner and mode of the file and a link to it as they are', async () => {
    await generated();
    await chmod(at('signing.json'), 0o640);
    if (process.getuid?.() === 0) await chown(at('signing.json'), 1234, 5678);
    const { uid, gid } = await stat(at('signing.json'));
    await symlink(at('signing.json'), at('link.json'));
    expect(await run(['rotate', 'signing', '--file', at('link.json')])).toBe(0);
    expect(await readKeys('signing.json')).toHaveLength(4);
    expect(await modeOf('signing.json')).toBe(0o640);
    expect(await stat(at('signing.json'))).toMatchObject({ uid, gid });
    expect((await readdir(folder)).toSorted()).toEqual(['link.json', 'signing.json']);
  });

  it('changes nothing while another one is at work', async () => {
    await generated();
    await writeFile(at('signing.json.new'), '');
    expect(await run(['rotate', 'signing', '--file', at('signing.json')])).toBe(1);
    expect(stderr).toContain('another keys command is at work');
    expect(await readKeys('signing.json')).toHaveLength(2);
  });

  it.each([
    ['a file that is not there', async () => undefined, 'is not there'],
    ['a file that is not a key set', async () => writeFile(at('signing.json'), '{}'), 'has no "keys"'],
  ])('fails with a sentence on %s', async (_, prepare, reason) => {
    await prepare();
    expect(await run(['rotate', 'signing', '--file', at('signing.json')])).toBe(1);
    expect(stderr).toContain(reason);
    expect((await readdir(folder)).filter((name) => name.endsWith('.new'))).toEqual([]);
  });

  it('fails with a sentence on a configuration that names no file', async () => {
    await writeFile(at('gatehouse.yaml'), 'keys: { signing: { env: KEYS } }\n');
    expect(await run(['rotate', 'signing', '--config', at('gatehouse.yaml')])).toBe(1);
    expect(stderr).toContain('names no file under keys.signing');
  });
});

describe('gatehouse keys drop', () => {
  it('removes a key at once and says which one signs now', async () => {
    const [rsa] = await generated();
    expect(await run(['drop', rsa?.kid ?? '', '--file', at('signing.json')])).toBe(0);
    const left = await readKeys('signing.json');
    expect(left.map(({ kid }) => kid)).not.toContain(rsa?.kid);
    const [signs] = ofAlg(left, 'RS256');
    expect(stdout).toContain(`${signs} is new and signs from now on`);
  });

  it('leaves the file as it is where there is no such key', async () => {
    await generated();
    const before = await readFile(at('signing.json'), 'utf8');
    expect(await run(['drop', 'nobody', '--file', at('signing.json')])).toBe(1);
    expect(stderr).toContain('has no key nobody');
    expect(await readFile(at('signing.json'), 'utf8')).toBe(before);
    expect(await readdir(folder)).toEqual(['signing.json']);
  });
});

describe('gatehouse keys rotate sealing', () => {
  it('writes a key and says in which order to bring it in', async () => {
    expect(await run(['rotate', 'sealing', '--out', at('next')])).toBe(0);
    expect(Buffer.from(await readFile(at('next'), 'utf8'), 'base64url')).toHaveLength(32);
    expect(stdout).toMatch(/Append it, last[\s\S]*move its line first[\s\S]*refresh_absolute/);
    expect(stdout).toContain(`- { file: "${at('next')}" }`);
  });
});

describe('gatehouse keys', () => {
  it.each([
    [[], 'say generate, rotate or drop'],
    [['generate'], 'say generate signing or generate sealing'],
    [['generate', 'signing'], 'needs --out FILE'],
    [['generate', 'other', '--out', 'x'], 'say generate signing or generate sealing'],
    [['generate', 'signing', '--out', ''], 'needs --out FILE'],
    [['generate', 'signing', '--out', 'x', '--file', 'y'], 'takes --out alone'],
    [['rotate', 'signing', '--out', 'x'], '--out is for a new file'],
    [['rotate', 'signing', '--file', 'x', '--config', 'y'], 'not both'],
    [['rotate', 'sealing'], 'needs --out FILE'],
    [['drop'], 'drop KID'],
    [['drop', 'a', 'b'], '"b" is one word too many'],
    [['destroy', 'signing'], 'say generate, rotate or drop'],
    [['generate', 'signing', '--force'], 'there is no option --force'],
  ])('answers %j with what is wrong, where help is, and 64', async (argv, complaint) => {
    expect(await runCommand(['keys', ...argv])).toBe(64);
    expect(stderr).toMatch(/^gatehouse keys: .*\ngatehouse keys --help says what is possible\.\n$/);
    expect(stderr).toContain(complaint);
    expect(stdout).toBe('');
  });

  it('explains itself when it is asked to', async () => {
    expect(await runCommand(['keys', '--help'])).toBe(0);
    expect(stdout).toMatch(/^Usage:/);
  });
});
