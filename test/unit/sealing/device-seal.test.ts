import { randomBytes } from 'node:crypto';
import fc from 'fast-check';
import { CompactEncrypt } from 'jose';
import { describe, expect, it } from 'vitest';
import { newDeviceCode } from '../../../src/grants/device-code.ts';
import { deviceSealPublicKey, openAsDevice, sealToDevice } from '../../../src/sealing/device-seal.ts';
import { SealBrokenError } from '../../../src/sealing/sealing.ts';
import { Secret } from '../../../src/sealing/secret.ts';

describe('what is sealed to a device code', () => {
  const code = newDeviceCode(randomBytes);
  const publicKey = deviceSealPublicKey(code);

  it('opens for who brings the code again', async () => {
    await fc.assert(
      fc.asyncProperty(fc.jsonValue(), async (content) => {
        const sealed = await sealToDevice(content, publicKey);
        expect(await openAsDevice(sealed, new Secret(code.reveal()))).toEqual(JSON.parse(JSON.stringify(content)));
      }),
      { numRuns: 30 },
    );
  });

  it('opens for nobody else', async () => {
    const sealed = await sealToDevice('facts', publicKey);
    await expect(openAsDevice(sealed, newDeviceCode(randomBytes))).rejects.toThrow(SealBrokenError);
    await expect(openAsDevice(sealed, new Secret(publicKey))).rejects.toThrow(SealBrokenError);
    const changed = `${code.reveal().slice(0, -1)}${code.reveal().endsWith('A') ? 'B' : 'A'}`;
    await expect(openAsDevice(sealed, new Secret(changed))).rejects.toThrow(SealBrokenError);
  });

  it('needs both the code and an unchanged text', async () => {
    const sealed = await sealToDevice('facts', publicKey);
    const parts = sealed.split('.');
    parts[3] = Buffer.from('"other"').toString('base64url');
    await expect(openAsDevice(parts.join('.'), code)).rejects.toThrow(SealBrokenError);
    await expect(openAsDevice(sealed.slice(0, -4), code)).rejects.toThrow(SealBrokenError);
  });

  it('takes no other algorithm', async () => {
    const direct = await new CompactEncrypt(new TextEncoder().encode('"x"'))
      .setProtectedHeader({ alg: 'dir', enc: 'A256GCM' })
      .encrypt(randomBytes(32));
    await expect(openAsDevice(direct, code)).rejects.toThrow(SealBrokenError);
  });

  it('the public key follows from the code, and does not show it', () => {
    expect(deviceSealPublicKey(new Secret(code.reveal()))).toBe(publicKey);
    expect(publicKey).toMatch(/^[\w-]{43}$/);
    expect(publicKey).not.toBe(code.reveal());
  });
});
