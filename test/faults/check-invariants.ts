import { Redis } from 'ioredis';
import { decodeRefreshState } from '../../src/device-sessions/refresh/refresh-state.ts';
import { openDecision } from '../../src/ledger/decision.ts';
import { decisionEntry, grantEntry } from '../../src/ledger/entry-keys.ts';
import { decodeGrant } from '../../src/ledger/grant.ts';
import { createSealing } from '../../src/sealing/sealing.ts';
import { Secret } from '../../src/sealing/secret.ts';
import { sideBySide } from './side-by-side.ts';

const ABOUT_TO_GO_MS = 10_000;

export interface Evidence {
  redisUrl: string;
  keyPrefix?: string;
  sealingKey: string;
  /** Everything secret that crossed the wire: codes, tokens, cookies. */
  secrets: readonly string[];
  /** Device code → the token answers that it got. */
  issued?: ReadonlyMap<string, readonly { refresh_token?: unknown }[]>;
  /** How many token answers a code may have got: two where a redemption was lost together with the master. */
  mostAnswers?: number;
}

/** Reads everything back that is in Redis and says which of the invariants I1–I12 do not hold, as far as they show there. */
export async function checkInvariants(evidence: Evidence): Promise<string[]> {
  const { keyPrefix = 'gatehouse:', issued = new Map(), mostAnswers = 1 } = evidence;
  const sealing = createSealing([new Secret(evidence.sealingKey)]);
  const redis = new Redis(evidence.redisUrl);
  const violations: string[] = [];
  try {
    const keys = await redis.keys('*');
    const values = new Map<string, string>();
    const vanishing = new Set<string>();
    const readBack = async (key: string): Promise<void> => {
      const [ttl, type] = await Promise.all([redis.pttl(key), redis.type(key)]);
      if (ttl === -1) violations.push(`I9: ${key} never expires`);
      if (!key.startsWith(keyPrefix)) violations.push(`I9: ${key} is not under our prefix`);
      const value = type === 'string' ? ((await redis.get(key)) ?? '') : (await redis.zrange(key, 0, -1)).join(' ');
      values.set(key.slice(keyPrefix.length), value);
      if (ttl < ABOUT_TO_GO_MS) vanishing.add(key.slice(keyPrefix.length));
    };
    await sideBySide(keys.length, 100, (n) => readBack(keys[n] as string));
    const readable = secretsIn([...values].flat().join('\n'), evidence.secrets);
    if (readable > 0) violations.push(`I8, I12: secrets are readable in Redis, ${readable} times`);
    for (const [key, value] of values) {
      const id = /^\{([^}]+)\}:refresh$/.exec(key)?.[1];
      if (id !== undefined) decodeRefreshState(id, value, sealing);
    }
    for (const [key, value] of values) {
      const id = /^\{([^}]+)\}:grant$/.exec(key)?.[1];
      // The entries of one whose end has come vanish while they are read.
      if (id === undefined || vanishing.has(key)) continue;
      const has = (suffix: string) => values.has(`{${id}}:${suffix}`);
      const grant = decodeGrant(id, value, sealing);
      if (key !== grantEntry(id)) violations.push(`I12: ${key} is misnamed`);
      const stored = values.get(decisionEntry(id));
      if (has('spent') && stored === undefined) violations.push(`I2: ${id} is spent without a decision`);
      if (stored !== undefined) {
        const { decision } = await openDecision(grant, stored, sealing);
        if (has('spent') && decision !== 'approved') violations.push(`I3: ${id} is spent and ${decision}`);
      }
      if (has('spent') !== has('session')) violations.push(`I1: ${id} has one of spent and session without the other`);
    }
    for (const [, answers] of issued) {
      if (answers.length > mostAnswers) violations.push(`I1: ${answers.length} token answers for one device code`);
      if (new Set(answers.map((answer: { refresh_token?: unknown }) => answer.refresh_token)).size > 1) {
        violations.push('I1: two refresh chains out of one device code');
      }
    }
  } catch (error) {
    violations.push(`what is stored does not open: ${String(error)}`);
  } finally {
    redis.disconnect();
  }
  return violations;
}

/** How often one of these stands in the text. Both may be many, so the text is gone through once. */
function secretsIn(text: string, secrets: readonly string[]): number {
  const length = 8;
  // Ends differ; beginnings are alike where all are JWTs.
  const byEnd = new Map<string, string[]>();
  for (const secret of secrets.filter((each) => each.length >= length)) {
    const end = secret.slice(-length);
    byEnd.set(end, [...(byEnd.get(end) ?? []), secret]);
  }
  let found = 0;
  for (let at = length; at <= text.length; at += 1) {
    const here = byEnd.get(text.slice(at - length, at)) ?? [];
    if (here.some((secret) => text.endsWith(secret, at))) found += 1;
  }
  return found;
}
