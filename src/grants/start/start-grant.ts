/**
 * A start makes the two codes and the grant's entries. Whether a client may start is judged by its callers and by `limits/`.
 */

import { grantEntry, userCodeEntry } from '../../ledger/entry-keys.ts';
import { encodeGrant, type Grant } from '../../ledger/grant.ts';
import { type Ledger, StorageUnavailableError } from '../../ledger/ledger.ts';
import { deviceSealPublicKey } from '../../sealing/device-seal.ts';
import type { Sealing } from '../../sealing/sealing.ts';
import type { RandomBytes, Secret } from '../../sealing/secret.ts';
import { grantId, newDeviceCode } from '../device-code.ts';
import { formatUserCode, newUserCode, type UserCodeSettings } from './user-code.ts';

/** What every use case of a grant stands on. */
export interface GrantDeps {
  ledger: Ledger;
  sealing: Sealing;
  randomBytes: RandomBytes;
  userCodes: UserCodeSettings;
}

export interface GrantRequest
  extends Pick<
    Grant,
    | 'clientId'
    | 'challenge'
    | 'jkt'
    | 'scopes'
    | 'resources'
    | 'source'
    | 'userAgent'
    | 'deviceLabel'
    | 'issuer'
    | 'confirmation'
    | 'loopback'
  > {
  lifetimeSeconds: number;
  intervalSeconds: number;
  /** From `userCodeLength`. */
  userCodeLength: number;
  /** By the storage's clock; asked for where it is left out. */
  startedAtMs?: number;
}

export interface StartedGrant {
  id: string;
  deviceCode: Secret;
  /** As people see it, in groups. */
  userCode: string;
}

/** An expired code is answered as expired for at least this long (RFC 8628 §3.5 `expired_token`). */
const MIN_AFTERLIFE_MS = 10 * 60 * 1000;
const DRAWS = 5;

/**
 * Starts a grant (RFC 8628 §3.2). The index is written first: a grant without its index could never be opened, while an
 * index without a grant just keeps one code from being drawn until it lapses.
 *
 * @throws {StorageUnavailableError} also when no free user code was drawn
 */
export async function startGrant(deps: GrantDeps, request: GrantRequest): Promise<StartedGrant> {
  const { ledger, sealing, randomBytes, userCodes } = deps;
  const deviceCode = newDeviceCode(randomBytes);
  const id = grantId(deviceCode);
  const startedAtMs = request.startedAtMs ?? (await ledger.now());
  const lifetimeMs = request.lifetimeSeconds * 1000;
  const expiresAtMs = startedAtMs + lifetimeMs;
  const keptUntilMs = expiresAtMs + Math.max(lifetimeMs, MIN_AFTERLIFE_MS);

  for (let draw = 0; draw < DRAWS; draw += 1) {
    const code = newUserCode(userCodes.alphabet, request.userCodeLength, randomBytes);
    const userCodeTag = sealing.tag('user code', code);
    const index = { key: userCodeEntry(userCodeTag), value: `${id}|`, expiresAtMs: keptUntilMs };
    // The id is as random as an attempt, and a million pending grants pay for every byte.
    const drawn = await ledger.commit({ attempt: id, writes: [index] });
    if (drawn.outcome !== 'won') continue;

    const grant = {
      ...request,
      id,
      intervalMs: request.intervalSeconds * 1000,
      startedAtMs,
      expiresAtMs,
      keptUntilMs,
      userCodeTag,
      publicKey: deviceSealPublicKey(deviceCode),
    };
    const value = encodeGrant('', grant, sealing);
    // Nobody else draws this id, so what stands there can only be our own write, sent again: no attempt needs a name.
    await ledger.commit({ attempt: '', writes: [{ key: grantEntry(id), value, expiresAtMs: keptUntilMs }] });
    return { id, deviceCode, userCode: formatUserCode(code, userCodes.group) };
  }
  throw new StorageUnavailableError(`no free user code in ${DRAWS} draws`);
}
