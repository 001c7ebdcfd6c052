import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { sharedSecrets, unusedPort } from '../support/broker/broker-process.ts';

const ROOT = join(import.meta.dirname, '../..');

let folder: string;
let environment: Record<string, string>;
beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), 'gatehouse-self-test-'));
  environment = { PATH: process.env['PATH'] ?? '', ...(await sharedSecrets()) };
});
afterAll(() => rm(folder, { recursive: true }));

/** A module that makes this Node another one, before anything of ours is loaded. */
function otherNode(change: string): string {
  const code = `import crypto from 'node:crypto'; import http from 'node:http'; import { syncBuiltinESMExports } from 'node:module';
    const refuse = (message, code) => () => { throw Object.assign(new Error(message), { code }); };
    ${change}; syncBuiltinESMExports();`;
  return `data:text/javascript,${encodeURIComponent(code)}`;
}

async function run(change: string, args: readonly string[], keys: 'of a file' | 'made' = 'of a file') {
  const port = await unusedPort();
  const file = join(folder, `${port}.yaml`);
  const yaml = {
    public_url: `http://127.0.0.1:${port}`,
    listen: { port },
    ...(keys === 'of a file' && { keys: { sealing: [{ env: 'SEALING_KEY' }], signing: { env: 'SIGNING_KEYS' } } }),
    upstreams: { corp: { issuer: 'http://127.0.0.1:1', client_id: 'gatehouse' } },
    clients: { 'build-cli': { name: 'Build CLI' } },
  };
  await writeFile(file, JSON.stringify(yaml));
  const imports = ['--import', otherNode(change), '--import', 'tsx'];
  const child = spawn(process.execPath, [...imports, 'src/cli/gatehouse.ts', ...args, '--config', file], {
    cwd: ROOT,
    env: environment,
    timeout: 30_000,
  });
  let [stdout, stderr] = ['', ''];
  child.stdout.setEncoding('utf8').on('data', (text: string) => (stdout += text));
  child.stderr.setEncoding('utf8').on('data', (text: string) => (stderr += text));
  const [code] = (await once(child, 'close')) as [number | null];
  return { code, stdout, words: stderr.split('\n').filter((line) => !line.startsWith('{')) };
}

/** Tokens, that is: a key of a file is tried with the plain form, and would be refused before. */
const SIGNS_NOTHING = `const was = crypto.sign;
  crypto.sign = (digest, data, key, done) => {
    const signature = Buffer.alloc(64);
    return done ? done(null, signature) : key.dsaEncoding ? signature : was(digest, data, key); }`;

/** What a release of Node might refuse or answer otherwise, and what is then said. */
const CHANGES: readonly [what: string, change: string, said: RegExp][] = [
  [
    'takes no X25519 key as we make it',
    `const was = crypto.createPrivateKey;
     crypto.createPrivateKey = (input) => input.format === 'der' || input.key?.crv === 'X25519'
       ? refuse('Invalid JWK OKP key', 'ERR_CRYPTO_INVALID_JWK')() : was(input)`,
    /^ {2}sealing to a device code: Invalid JWK OKP key \(ERR_CRYPTO_INVALID_JWK\)$/,
  ],
  [
    'agrees on no key',
    "crypto.diffieHellman = refuse('diffieHellman failed', 'ERR_CRYPTO_OPERATION_FAILED')",
    /^ {2}sealing to a device code: diffieHellman failed/,
  ],
  [
    'has no AES-GCM, as one with a stricter OpenSSL',
    "crypto.createCipheriv = refuse('digital envelope routines::unsupported', 'ERR_OSSL_EVP_UNSUPPORTED')",
    /^ {2}sealing: digital envelope routines::unsupported \(ERR_OSSL_EVP_UNSUPPORTED\)$/,
  ],
  ['signs what does not verify', SIGNS_NOTHING, /^ {2}signing: what came back is not what went in$/],
  [
    'no longer has what express-session calls on an answer',
    'delete http.ServerResponse.prototype._implicitHeader',
    /^ {2}the cookies of the pages: .*_implicitHeader/,
  ],
  [
    'makes other MACs each time',
    `const was = crypto.createHmac; let count = 0;
     crypto.createHmac = (name, key) => {
       const hmac = was(name, key), update = hmac.update.bind(hmac);
       hmac.update = (text) => update(String(text).startsWith('self-test') ? text + count++ : text);
       return hmac; }`,
    /^ {2}sealing: nobody vouched for self-test$/,
  ],
];

describe('`gatehouse start` on a Node that', { timeout: 60_000 }, () => {
  it.each(CHANGES)('%s', async (_what, change, said) => {
    const { code, stdout, words } = await run(change, ['start']);
    expect(code).toBe(78);
    expect(words[0]).toBe(
      `Node ${process.versions.node} (OpenSSL ${process.versions.openssl}) failed the self-test, so no sign-in would go well here:`,
    );
    expect(words.filter((line) => said.test(line))).toHaveLength(1);
    expect(words.join('\n')).toContain('docs/operations/install.md');
    expect(words.join('\n')).not.toMatch(/^\s+at /m);
    expect(stdout).not.toContain('is ready at');
  });
});

it('keys that are made beside the start are tested too, when they are there', { timeout: 60_000 }, async () => {
  const { code, words } = await run(SIGNS_NOTHING, ['start'], 'made');
  expect(code).toBe(78);
  expect(words).toContain('  signing: what came back is not what went in');
});

it('`gatehouse check` says the same, and everything that failed at once', { timeout: 60_000 }, async () => {
  const { code, stdout } = await run(
    "crypto.diffieHellman = refuse('no', 'A'); delete http.ServerResponse.prototype._implicitHeader",
    ['check'],
  );
  expect(code).toBe(78);
  const finding = stdout.slice(stdout.indexOf('this Node: wrong: '));
  expect(finding.split('\n').filter((line) => line.startsWith('  '))).toHaveLength(2);
  expect(finding).toContain('docs/operations/install.md');
});

it('a Node that does it all is not talked about', { timeout: 60_000 }, async () => {
  expect(await run('', ['check'])).toMatchObject({ code: 0, words: [''] });
});
