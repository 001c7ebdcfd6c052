import { algsOf, makeSigningKey, PUBLISHED_AHEAD_MS, type SigningAlg, type SigningKey } from './signing-key-set.ts';

const SECOND_MS = 1000;

export type RotationStep =
  /** Published from now on; signs when rotation is run again at `signsFromMs` or later. */
  | { step: 'appended'; alg: SigningAlg; kid: string; signsFromMs: number }
  /** Signs from now on; `retired` stays published, so that what it signed still verifies. */
  | { step: 'promoted'; alg: SigningAlg; kid: string; retired: string }
  /** Appended less than ten minutes ago; nothing changed. */
  | { step: 'too_early'; alg: SigningAlg; kid: string; signsFromMs: number };

/**
 * One step of rotation for each algorithm in the set: a key is appended, and by the next step it comes first. A key is
 * waiting if it is newer than the one that signs; keys behind that are older have signed before.
 */
export async function rotateSigningKeys(
  keys: readonly SigningKey[],
  nowMs: number,
): Promise<{ keys: SigningKey[]; steps: RotationStep[] }> {
  let rotated = [...keys];
  const steps: RotationStep[] = [];
  for (const alg of algsOf(keys)) {
    const ofAlg = keys.filter((key) => key.alg === alg);
    const signing = ofAlg[0];
    if (signing === undefined) continue;
    const waiting = newest(ofAlg.filter((key) => madeAtMs(key) > madeAtMs(signing)));
    if (waiting === undefined) {
      const made = await makeSigningKey(alg, nowMs);
      // Where both were made in one second, or the clock was set back, the order must still be seen.
      const appended = { ...made, iat: Math.max(made.iat ?? 0, Math.floor(madeAtMs(signing) / SECOND_MS) + 1) };
      rotated.push(appended);
      steps.push({ step: 'appended', alg, kid: appended.kid, signsFromMs: signsFromMs(appended) });
    } else if (nowMs < signsFromMs(waiting)) {
      steps.push({ step: 'too_early', alg, kid: waiting.kid, signsFromMs: signsFromMs(waiting) });
    } else {
      rotated = [waiting, ...rotated.filter((key) => key.kid !== waiting.kid)];
      steps.push({ step: 'promoted', alg, kid: waiting.kid, retired: signing.kid });
    }
  }
  return { keys: rotated, steps };
}

export type DropOutcome =
  | { outcome: 'dropped'; keys: SigningKey[]; alg: SigningAlg; signs: string; isNew: boolean; signed: boolean }
  | { outcome: 'unknown' };

/**
 * Removes a key at once, for when it has leaked or is no longer needed. If it was the one that signs, the newest of
 * the others does so from now on, since its public part is known already; where no other is left, a new one is made.
 */
export async function dropSigningKey(keys: readonly SigningKey[], kid: string, nowMs: number): Promise<DropOutcome> {
  const dropped = keys.find((key) => key.kid === kid);
  if (dropped === undefined) return { outcome: 'unknown' };
  const { alg } = dropped;
  const signed = keys.find((key) => key.alg === alg) === dropped;
  const left = keys.filter((key) => key !== dropped);
  const known = signed ? newest(left.filter((key) => key.alg === alg)) : left.find((key) => key.alg === alg);
  const signs = known ?? (await makeSigningKey(alg, nowMs));
  return {
    outcome: 'dropped',
    keys: signed ? [signs, ...left.filter((key) => key !== signs)] : left,
    alg,
    signs: signs.kid,
    isNew: known === undefined,
    signed,
  };
}

/** A key that somebody else made may not say when; it counts as older than all that do. */
function madeAtMs(key: SigningKey): number {
  return (key.iat ?? 0) * SECOND_MS;
}

/** Made is told in whole seconds, so one of them is given away. */
function signsFromMs(key: SigningKey): number {
  return madeAtMs(key) + PUBLISHED_AHEAD_MS - SECOND_MS;
}

function newest(keys: readonly SigningKey[]): SigningKey | undefined {
  return keys.toSorted((a, b) => madeAtMs(b) - madeAtMs(a))[0];
}
