import {
  chmodSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  statSync,
  symlinkSync,
  utimesSync,
  writeFileSync,
} from 'node:fs';
import { rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeEach, describe, expect, it } from 'vitest';
import type { Profile } from '../../../../src/cli/profiles/profile.ts';
import { type ProfileFiles, profileFiles } from '../../../../src/cli/profiles/profile-files.ts';
import { judgeOwner, openStateFolder, stateFolder } from '../../../../src/cli/profiles/state-folder.ts';
import { Secret } from '../../../../src/sealing/secret.ts';

const root = mkdtempSync(join(tmpdir(), 'gatehouse-profiles-'));
afterAll(() => rm(root, { recursive: true }));

const profile: Profile = {
  name: 'corp',
  issuer: 'https://login.example.com/',
  clientId: 'cli',
  clientSecret: { env: 'CLI_SECRET' },
  scopes: ['openid', 'packages:read'],
  resources: ['https://api.example.com'],
  person: 'Alice Adams (alice@example.com)',
  refreshToken: new Secret('the-refresh-token'),
  tokens: [
    {
      scopes: ['openid'],
      resources: [],
      accessToken: new Secret('the-access-token'),
      tokenType: 'Bearer',
      idToken: new Secret('the-id-token'),
      askedAtMs: 1000,
      expiresAtMs: 61_000,
      idTokenExpiresAtMs: 31_000,
    },
  ],
};

let files: ProfileFiles;
let path: string;
let count = 0;
beforeEach(() => {
  count += 1;
  files = profileFiles(join(root, String(count), 'gatehouse'));
  path = join(files.folder, 'corp.json');
});

describe('a profile’s file', () => {
  it('brings back what was kept, for its owner’s eyes alone', () => {
    files.write(profile);
    const read = files.read('corp');
    expect(read).toMatchObject({ ...profile, refreshToken: expect.any(Secret), tokens: [expect.any(Object)] });
    expect(read?.refreshToken?.reveal()).toBe('the-refresh-token');
    expect(read?.tokens[0]?.idToken?.reveal()).toBe('the-id-token');
    expect(statSync(path).mode & 0o777).toBe(0o600);
    expect(statSync(files.folder).mode & 0o777).toBe(0o700);
    expect(files.names()).toEqual(['corp']);
  });

  it('is not there before, and gone after it is removed, with what a killed process left', () => {
    expect([files.read('corp'), files.names()]).toEqual([undefined, []]);
    files.write(profile);
    writeFileSync(`${path}.0123456789ab.draft`, 'tokens');
    files.remove('corp');
    expect(readdirSync(files.folder)).toEqual([]);
  });

  it('takes old drafts along when it is written, and leaves new ones, which another writes now', () => {
    files.write(profile);
    for (const name of ['old', 'new']) writeFileSync(`${path}.${name}.draft`, '');
    utimesSync(`${path}.old.draft`, 1, 1);
    files.write(profile);
    expect(readdirSync(files.folder)).toEqual(['corp.json', 'corp.json.new.draft']);
  });
});

describe('a profile’s file that cannot be trusted is told, and stays as it is:', () => {
  const text = (changes: object) =>
    JSON.stringify({ ...(JSON.parse(readFileSync(path, 'utf8')) as object), ...changes });

  it.each<[string, () => void, string]>([
    ['world-readable', () => chmodSync(path, 0o644), 'is open to other users of this machine (mode 644)'],
    ['writable by a group', () => chmodSync(path, 0o620), 'mode 620'],
    ['truncated', () => writeFileSync(path, readFileSync(path, 'utf8').slice(0, 80)), 'is broken off'],
    ['empty', () => writeFileSync(path, ''), 'is broken off'],
    ['a list', () => writeFileSync(path, '[]'), 'is broken off'],
    ['of a later version', () => writeFileSync(path, text({ version: 2 })), 'another version of Gatehouse'],
    ['of no version', () => writeFileSync(path, text({ version: undefined })), 'another version of Gatehouse'],
    ['another profile’s', () => writeFileSync(path, text({ name: 'other' })), 'was changed'],
    ['without an issuer', () => writeFileSync(path, text({ issuer: 'nowhere' })), 'was changed'],
    ['with a token that is none', () => writeFileSync(path, text({ tokens: [{ access_token: 7 }] })), 'was changed'],
  ])('%s', (_, spoil, words) => {
    files.write(profile);
    spoil();
    const before = readFileSync(path);
    expect(() => files.read('corp')).toThrow(words);
    expect(readFileSync(path)).toEqual(before);
  });

  it('a symbolic link, to another file of the same person', () => {
    files.write(profile);
    const elsewhere = join(root, String(count), 'gatehouse2');
    mkdirSync(elsewhere, { mode: 0o700 });
    symlinkSync(path, join(elsewhere, 'corp.json'));
    expect(() => profileFiles(elsewhere).read('corp')).toThrow('symbolic link');
  });

  it('and a folder that others can enter', () => {
    files.write(profile);
    chmodSync(files.folder, 0o755);
    expect(() => files.write(profile)).toThrow('chmod 700');
  });

  it('and what belongs to another user', () => {
    const uid = (process.getuid?.() ?? 0) + 1;
    expect(() => judgeOwner('/x/corp.json', { uid, mode: 0o100600 }, 'chmod 600')).toThrow('belongs to another user');
  });
});

describe('where profiles are kept', () => {
  it.each<[string, Record<string, string>, NodeJS.Platform, string]>([
    ['$XDG_STATE_HOME', { XDG_STATE_HOME: '/state', HOME: '/home/a' }, 'linux', '/state/gatehouse'],
    ['the home, by default', { HOME: '/home/a' }, 'linux', '/home/a/.local/state/gatehouse'],
    [
      'the home, where the variable is relative',
      { XDG_STATE_HOME: 'x', HOME: '/h' },
      'linux',
      '/h/.local/state/gatehouse',
    ],
    ['macOS', { HOME: '/Users/a' }, 'darwin', '/Users/a/Library/Application Support/gatehouse'],
    ['Windows', { LOCALAPPDATA: '/Users/a/AppData/Local', HOME: '/h' }, 'win32', '/Users/a/AppData/Local/gatehouse'],
  ])('%s', (_, environment, platform, folder) => expect(stateFolder(environment, platform)).toBe(folder));

  it('nowhere without a home: said, with what to set', () => {
    expect(() => stateFolder({}, 'linux')).toThrow('XDG_STATE_HOME');
  });

  it('in a folder that is made with all that is above it', () => {
    const folder = join(root, 'new', 'deep', 'gatehouse');
    openStateFolder(folder);
    expect(statSync(folder).mode & 0o777).toBe(0o700);
  });
});
