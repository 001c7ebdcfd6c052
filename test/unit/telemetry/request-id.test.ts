import { randomBytes } from 'node:crypto';
import { expect, it } from 'vitest';
import { createRequestIds } from '../../../src/telemetry/request-id.ts';

it('a request id can be read out: 12 characters, no look-alikes, no two alike', () => {
  const next = createRequestIds(randomBytes);
  const ids = Array.from({ length: 10_000 }, next);
  expect(ids.every((id) => /^[2-9bcdfghjkmnpqrstvwxyz]{12}$/.test(id))).toBe(true);
  expect(new Set(ids).size).toBe(ids.length);
});
