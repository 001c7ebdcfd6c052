import { randomBytes, randomUUID } from 'node:crypto';
import { chmodSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { readConfig } from '../../../src/config/load-config.ts';
import { apparentBits } from '../../../src/config/read/read-client-secret.ts';
import { ecPrivate, ecPublic, jwks, sealingKey } from './keys.ts';
import { folderWith, leastFile, problemsOf, STRONG } from './written.ts';

const CLIENT = leastFile({ client: 'client_secret: { env: S }' });
const SERVER = leastFile({
  top: 'resource_servers: { api: { audience: https://a.example, client_secret: { env: S } } }',
});

const hook = (key: string) => leastFile({ top: `audit: { ${key}: { url: https://a.example, secret: { env: S } } }` });

describe('a secret that a client or a resource server authenticates with, or that signs for a receiver', () => {
  it.each([
    ['clients.cli.client_secret', CLIENT],
    ['resource_servers.api.client_secret', SERVER],
    ['audit.webhook.secret', hook('webhook')],
    ['audit.on_approval.secret', hook('on_approval')],
  ])('%s is refused where it can be guessed, and never repeated', (key, file) => {
    for (const S of ['hunter2', 'hunter2-hunter2', 'äöüäöüä']) {
      const problems = problemsOf(file, { environment: { S } });
      expect(problems).toMatchObject([{ key, text: expect.stringMatching(/^is shorter than 16 bytes/) }]);
      expect(JSON.stringify(problems)).not.toContain(S);
    }
    for (const S of ['hunter2-hunter2-hunter2', 'aaaaaaaaaaaaaaaaaaaaaaaa', '1234567890123456']) {
      const problems = problemsOf(file, { environment: { S } });
      expect(problems).toMatchObject([{ key, text: expect.stringMatching(/^is too easy to guess/) }]);
      expect(JSON.stringify(problems)).not.toContain(S);
    }
    for (const S of [STRONG, `ä${STRONG.slice(0, 14)}`]) {
      expect(problemsOf(file, { environment: { S } })).toEqual([]);
    }
  });

  it.each([
    'aaaaaaaaaaaaaaaa',
    'abababababababab',
    'abcabcabcabcabcabc',
    'abcdefghijklmnop',
    'zyxwvutsrqponmlk',
    '0123456789012345',
    '1111222233334444',
    'passwordpassword',
    'changeme-changeme',
    'secret-secret-secret-secret',
  ])('%s has less than 64 bits by its looks', (text) => {
    expect(apparentBits(text)).toBeLessThan(64);
  });

  it('what is random is never taken for less', () => {
    for (let n = 0; n < 2000; n += 1) {
      for (const text of [randomBytes(12).toString('hex'), randomBytes(12).toString('base64url'), randomUUID()]) {
        expect(apparentBits(text)).toBeGreaterThanOrEqual(64);
      }
    }
  });

  it.each(['', 'a', '\u0000', '😀', '\ud800'])('%j has some', (text) => {
    expect(apparentBits(text)).toBeGreaterThanOrEqual(0);
  });
});

describe('a file with a secret in it', () => {
  const FILES = {
    s: STRONG,
    k: JSON.stringify(ecPrivate),
    seal: sealingKey(),
    sign: jwks(ecPrivate),
    pub: jwks(ecPublic),
  };
  const YAML = leastFile({
    client: 'client_secret: { file: s }\nsigning_alg: ES256',
    upstream: 'private_key: { file: k }',
    top: 'keys: { sealing: [{ file: seal }], signing: { file: sign } }',
  });
  const warned = (mode: number, yaml = YAML) => {
    const folder = folderWith(FILES);
    for (const name of Object.keys(FILES)) chmodSync(join(folder, name), mode);
    const { warnings } = readConfig(join(folder, 'gatehouse.yaml'), yaml, {});
    return warnings.map(({ key, text }) => `${key}: ${text}`);
  };

  it('that everybody on the machine can read is warned of, each with its key, its mode and what to do', () => {
    expect(warned(0o644)).toEqual([
      expect.stringMatching(/^keys\.signing: file .*sign can be read by everybody .*\(mode 0644\): chmod o= .*sign$/),
      expect.stringMatching(/^upstreams\.corp\.private_key: file .*k can be read/),
      expect.stringMatching(/^clients\.cli\.client_secret: file .*s can be read/),
      expect.stringMatching(/^keys\.sealing\[0\]: file .*seal can be read/),
    ]);
    expect(warned(0o604)).toHaveLength(4);
  });

  it('that its owner or its group alone can read is in order', () => {
    for (const mode of [0o600, 0o400, 0o640, 0o440]) expect(warned(mode)).toEqual([]);
  });

  it('with public keys may be read by everybody', () => {
    const yaml = leastFile({
      client: 'jwks: { file: pub }\nsigning_alg: ES256',
      top: 'keys: { sealing: [{ file: seal }], signing: { file: sign } }',
    });
    expect(warned(0o644, yaml).filter((warning) => warning.startsWith('clients'))).toEqual([]);
  });
});
