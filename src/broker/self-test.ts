import { randomBytes } from 'node:crypto';
import type { Config } from '../config/config.ts';
import { newDeviceCode } from '../grants/device-code.ts';
import { testCookies } from '../pages/frame/cookie-self-test.ts';
import { deviceSealPublicKey, openAsDevice, sealToDevice } from '../sealing/device-seal.ts';
import { createSealing, type Sealing } from '../sealing/sealing.ts';
import { type RandomBytes, Secret } from '../sealing/secret.ts';
import { memoryBrowserSessions } from '../storage/memory/memory-browser-sessions.ts';
import { createSigningKeys, type SigningKeys } from '../tokens/signing-keys.ts';

/** This Node does not do what Gatehouse needs. The message says what, and what to do; it holds no secret. */
export class SelfTestError extends Error {
  override readonly name = 'SelfTestError';

  constructor(failures: readonly string[]) {
    const { node, openssl } = process.versions;
    super(
      [
        `Node ${node} (OpenSSL ${openssl}) failed the self-test, so no sign-in would go well here:`,
        ...failures.map((failure) => `  ${failure}`),
        'Run a release of Node that Gatehouse was tested with (docs/operations/install.md), or report these lines.',
      ].join('\n'),
    );
  }
}

export interface SelfTestDeps {
  sealing: Sealing;
  randomBytes: RandomBytes;
  publicUrl: string;
  /** Left out where they are still being made. */
  signingKeys?: SigningKeys;
}

/**
 * Does once what each sign-in does with the runtime's cryptography and HTTP, with the keys that are in force. A release of
 * Node that has become stricter is then a start that is refused with words, and no 500 for every device.
 *
 * @throws {SelfTestError} which names everything that failed
 */
export async function selfTest({ signingKeys, ...deps }: SelfTestDeps): Promise<void> {
  await throwFailures([
    ['sealing', () => testSealing(deps.sealing)],
    ['sealing to a device code', () => testDeviceSeal(deps.randomBytes)],
    ['the cookies of the pages', () => testPageCookies(deps)],
    ...(signingKeys === undefined ? [] : [signingTest(signingKeys)]),
  ]);
}

/** The same with the keys of a file, for who asks before a start. @throws {SelfTestError} */
export async function selfTestOf({ sealing, signing, publicUrl }: Config): Promise<void> {
  const made = new Secret(randomBytes(32).toString('base64url'));
  await selfTest({
    sealing: createSealing(sealing?.keys ?? [made]),
    randomBytes,
    publicUrl,
    ...(signing !== undefined && { signingKeys: createSigningKeys(signing) }),
  });
}

/** For keys that are made while the process starts already. @throws {SelfTestError} */
export async function selfTestSigning(signingKeys: SigningKeys): Promise<void> {
  await throwFailures([signingTest(signingKeys)]);
}

type Test = [what: string, run: () => Promise<void> | void];

async function throwFailures(tests: readonly Test[]): Promise<void> {
  const failures: string[] = [];
  for (const [what, run] of tests) {
    try {
      await run();
    } catch (error) {
      failures.push(`${what}: ${wordsOf(error)}`);
    }
  }
  if (failures.length > 0) throw new SelfTestError(failures);
}

async function testSealing(sealing: Sealing): Promise<void> {
  const sealed = await sealing.seal(PROBE, 'self-test');
  expectProbe(await sealing.open(sealed, 'self-test'));
  expectProbe(sealing.check('self-test', sealing.vouch('self-test', PROBE)));
}

function testDeviceSeal(randomBytes: RandomBytes): void {
  const code = newDeviceCode(randomBytes);
  expectProbe(openAsDevice(sealToDevice(PROBE, deviceSealPublicKey(code)), code));
}

function testPageCookies({ sealing, randomBytes, publicUrl }: Omit<SelfTestDeps, 'signingKeys'>): Promise<void> {
  const store = memoryBrowserSessions(Date.now, 1);
  return testCookies({ store, sealing, randomBytes, publicUrl: new URL(publicUrl) });
}

function signingTest(signingKeys: SigningKeys): Test {
  return [
    'signing',
    async () => {
      const nowMs = Date.now();
      const iat = Math.floor(nowMs / 1000);
      const claims = { iss: PROBE, sub: PROBE, aud: PROBE, iat, exp: iat + 60 };
      for (const alg of signingKeys.algs) {
        const token = await signingKeys.sign(alg, 'JWT', claims);
        const read = await signingKeys.verify(token.reveal(), { types: ['JWT'], issuers: [PROBE], nowMs });
        expectProbe(read?.sub);
      }
    },
  ];
}

const PROBE = 'self-test';

function expectProbe(found: unknown): void {
  if (found !== PROBE) throw new Error('what came back is not what went in');
}

/** Some of our own errors carry what really went wrong as their cause. */
function wordsOf(error: unknown): string {
  const inner = error instanceof Error && error.cause instanceof Error ? error.cause : error;
  if (!(inner instanceof Error)) return String(inner);
  return 'code' in inner ? `${inner.message} (${String(inner.code)})` : inner.message;
}
