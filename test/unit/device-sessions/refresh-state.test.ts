import { randomBytes } from 'node:crypto';
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import {
  decodeRefreshState,
  encodeRefreshState,
  newSalt,
  openRefreshState,
} from '../../../src/device-sessions/refresh/refresh-state.ts';
import {
  firstRefreshToken,
  formatRefreshToken,
  isAuthentic,
  parseRefreshToken,
  type RefreshToken,
  successorOf,
} from '../../../src/device-sessions/refresh/refresh-token.ts';
import { createSealing, SealBrokenError } from '../../../src/sealing/sealing.ts';
import { Secret } from '../../../src/sealing/secret.ts';
import { sampleApproval } from '../tokens/token-samples.ts';

const secret = (bytes = 32) => new Secret(randomBytes(bytes).toString('base64url'));
const sealing = createSealing([secret()]);
const keyName = sealing.firstKeyName;
const carried = { approval: sampleApproval(), upstreamAnsweredAtMs: 7 };
const answered = { wish: 'w', source: '203.0.113.7' };

/** `count` exchanges: every token, and every state that was stored. */
async function line(count: number): Promise<{ tokens: RefreshToken[]; states: string[] }> {
  const sessionId = randomBytes(16).toString('base64url');
  const tokens = [firstRefreshToken(sessionId, secret(), keyName, sealing)];
  const states: string[] = [];
  let salt = '';
  for (let n = 0; n <= count; n += 1) {
    const nextSalt = newSalt(randomBytes);
    const token = tokens[n] as RefreshToken;
    const made = { attempt: `a${n}`, madeAtMs: n, salt, nextSalt };
    states.push(await encodeRefreshState(token, made, carried, answered, keyName, sealing));
    tokens.push(successorOf(token, nextSalt, keyName, sealing));
    salt = nextSalt;
  }
  return { tokens, states };
}

describe('what a state opens with', () => {
  it('the newest token, the one before, and the one after; and with no other, though the sealing key is at hand', async () => {
    const { tokens, states } = await line(6);
    const state = decodeRefreshState(tokens[0]?.sessionId ?? '', states[4] ?? '', sealing);
    const places = await Promise.all(tokens.map((token) => openRefreshState(token, state, keyName, sealing)));
    expect(places.map((opened) => opened?.place)).toEqual([
      ...[undefined, undefined, undefined, 'parent', 'current', 'ahead', undefined, undefined],
    ]);
    for (const opened of places) if (opened !== undefined) expect(opened).toMatchObject({ carried, answered });
    expect(places[3]?.newest).toEqual(tokens[4]);
  });

  it('a spent token with the sealing key does not lead on without the salts, which are overwritten', async () => {
    const { tokens, states } = await line(6);
    const state = decodeRefreshState(tokens[0]?.sessionId ?? '', states[5] ?? '', sealing);
    // Whoever has token 2 and what is stored now tries every salt that there is, as often as it takes.
    let reached = [tokens[2] as RefreshToken];
    for (let step = 0; step < 4; step += 1) {
      reached = reached.flatMap((token) =>
        ['', state.salt, state.nextSalt].map((salt) => successorOf(token, salt, keyName, sealing)),
      );
      const texts = reached.map((token) => formatRefreshToken(token).reveal());
      for (const token of tokens) expect(texts).not.toContain(formatRefreshToken(token).reveal());
    }
  });

  it('is of one size, whatever the number of refreshes', async () => {
    const { states } = await line(12);
    const sizes = states.slice(1).map((state) => state.length);
    expect(Math.max(...sizes) - Math.min(...sizes)).toBeLessThanOrEqual(4);
  });

  it('is nothing where somebody changed one character of it', async () => {
    const { tokens, states } = await line(2);
    const [token, stored = ''] = [tokens[1] as RefreshToken, states[1]];
    for (let at = 0; at < stored.length; at += 7) {
      const changed = `${stored.slice(0, at)}${stored[at] === 'A' ? 'B' : 'A'}${stored.slice(at + 1)}`;
      // A changed key name is the name of a key that is not there.
      expect(() => decodeRefreshState(token.sessionId, changed, sealing)).toThrow(/\w/);
    }
  });

  it('is nothing for another session', async () => {
    const [one, other] = [await line(1), await line(1)];
    expect(() => decodeRefreshState(one.tokens[0]?.sessionId ?? '', other.states[0] ?? '', sealing)).toThrow(
      SealBrokenError,
    );
  });
});

describe('a refresh token', () => {
  it('is read back as it was written, and is authentic; with any byte changed it is not', async () => {
    const { tokens } = await line(3);
    for (const token of tokens) {
      const text = formatRefreshToken(token).reveal();
      expect(text).toMatch(/^[\w-]{91}$/);
      expect(parseRefreshToken(text)).toEqual(token);
      expect(isAuthentic(token, keyName, sealing)).toBe(true);
      fc.assert(
        fc.property(fc.nat(67), fc.integer({ min: 1, max: 255 }), (at, change) => {
          const bytes = Buffer.from(text, 'base64url');
          bytes[at] = (bytes[at] as number) ^ change;
          const changed = parseRefreshToken(bytes.toString('base64url'));
          return changed !== undefined && !isAuthentic(changed, keyName, sealing);
        }),
      );
    }
  });

  it('of another broker is not authentic', async () => {
    const { tokens } = await line(1);
    const foreign = createSealing([secret()]);
    const made = firstRefreshToken(tokens[0]?.sessionId ?? '', secret(), foreign.firstKeyName, foreign);
    expect(isAuthentic(made, keyName, sealing)).toBe(false);
  });

  it('any other text is none', () => {
    fc.assert(
      fc.property(fc.string(), (text) => {
        const parsed = parseRefreshToken(text);
        return parsed === undefined || formatRefreshToken(parsed).reveal() === text;
      }),
    );
  });
});
