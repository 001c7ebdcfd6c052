import { createHmac, timingSafeEqual } from 'node:crypto';
import { compactHeader, decryptCompact, encryptCompact } from './compact-jwe.ts';
import { isKeyName, type SealingKey, SealingKeyMissingError, sealingKey } from './sealing-keys.ts';
import type { Secret } from './secret.ts';

/**
 * Sealing is what a copy of the storage cannot read and a writer to the storage cannot forge. Here are encryption and
 * MACs under the administrator's sealing keys, and key pairs made from device codes. What the contents mean, and how
 * long they live, is not here.
 *
 * Every value names its key: the first key writes, all of them read, so that keys can be rotated under load.
 */
export interface Sealing {
  readonly firstKeyName: string;
  /**
   * Encrypts JSON so that it opens only under the same context (what it is, and of whom). With a `capability` it opens
   * only together with that secret too: then the sealing key and all of the storage do not suffice.
   */
  seal(content: unknown, context: string, capability?: Secret): Promise<string>;
  /** @throws {SealBrokenError} when it was not sealed here, for this context and capability */
  open(sealed: string, context: string, capability?: Secret): Promise<unknown>;
  /** Appends key name and MAC to a text that may be read but not changed, nor moved to another name. */
  vouch(name: string, content: string): string;
  /** The text that was vouched for under this name. @throws {SealBrokenError} */
  check(name: string, vouched: string): string;
  /** A keyed fingerprint of a text that could be guessed (user code, subject, address), under the first key. */
  tag(purpose: string, text: string): string;
  /** The same fingerprint under every key, the first first: what was written under an older key is still found. */
  tags(purpose: string, text: string): string[];
  /** The fingerprint under one key by its name: the same on every replica, whichever key is first there. */
  tagUnder(keyName: string, purpose: string, text: string): string;
  /** Bytes that only who has the secret and the named sealing key can compute; the same on every replica. */
  derive(keyName: string, purpose: string, secret: Secret, bytes?: number): Buffer;
}

/** A stored value is not what a broker wrote for this place. */
export class SealBrokenError extends Error {
  override readonly name = 'SealBrokenError';
}

/** 128 bits of a MAC are kept: forging one is still a guess in 2¹²⁸, and every pending grant pays for each byte. */
const MAC_BYTES = 16;

export function createSealing(keys: readonly Secret[]): Sealing {
  const all = keys.map(sealingKey);
  const [first] = all;
  if (first === undefined) throw new RangeError('sealing needs at least one key');
  const byName = new Map(all.map((key) => [key.name, key]));

  function named(name: string): SealingKey {
    const key = byName.get(name);
    // What cannot be a name at all is no key of another replica's, but a forgery.
    if (!isKeyName(name)) throw new SealBrokenError('sealed under no key of ours');
    if (key === undefined) throw new SealingKeyMissingError(`no sealing key is called ${JSON.stringify(name)} here`);
    return key;
  }

  return {
    firstKeyName: first.name,

    async seal(content, context, capability) {
      const header = { alg: 'dir', kid: first.name, ctx: context };
      return encryptCompact(JSON.stringify(content), header, contentKey(first, context, capability));
    },

    async open(sealed, context, capability) {
      const { alg, kid, ctx, ...others } = compactHeader(sealed) ?? {};
      // `zip`, `crit` and the like would change what the rest means.
      if (alg !== 'dir' || typeof kid !== 'string' || Object.keys(others).length > 0) {
        throw new SealBrokenError('not a sealed value');
      }
      const key = named(kid);
      if (ctx !== context) throw new SealBrokenError(`sealed for another place than ${context}`);
      try {
        return JSON.parse(decryptCompact(sealed, contentKey(key, context, capability)));
      } catch (cause) {
        throw new SealBrokenError(`does not open as ${context}`, { cause });
      }
    },

    vouch(name, content) {
      return `${content}|${first.name}|${mac(first, 'vouch', `${name}\n${content}`)}`;
    },

    check(name, vouched) {
      const beforeMac = vouched.lastIndexOf('|');
      const beforeKey = vouched.lastIndexOf('|', beforeMac - 1);
      if (beforeKey < 0) throw new SealBrokenError(`nobody vouched for ${name}`);
      const content = vouched.slice(0, beforeKey);
      const expected = mac(named(vouched.slice(beforeKey + 1, beforeMac)), 'vouch', `${name}\n${content}`);
      if (!equalTexts(expected, vouched.slice(beforeMac + 1))) throw new SealBrokenError(`nobody vouched for ${name}`);
      return content;
    },

    tag: (purpose, text) => mac(first, `tag ${purpose}`, text),
    tagUnder: (keyName, purpose, text) => mac(named(keyName), `tag ${purpose}`, text),
    tags: (purpose, text) => all.map((key) => mac(key, `tag ${purpose}`, text)),
    derive: (keyName, purpose, secret, bytes) => named(keyName).derive(purpose, secret.reveal(), bytes),
  };
}

/** Compares in a time that tells nothing about where two texts differ. */
export function equalTexts(left: string, right: string): boolean {
  const a = Buffer.from(left);
  const b = Buffer.from(right);
  return a.length === b.length && timingSafeEqual(a, b);
}

/** A key for each place: however much is sealed, no key ever sees enough values for two random IVs to meet. */
function contentKey(key: SealingKey, context: string, capability: Secret | undefined): Buffer {
  return capability === undefined
    ? key.derive('seal', context)
    : key.derive('seal with capability', `${context}\n${capability.reveal()}`);
}

function mac(key: SealingKey, purpose: string, text: string): string {
  const whole = createHmac('sha256', key.derive(purpose)).update(text).digest();
  return whole.subarray(0, MAC_BYTES).toString('base64url');
}
