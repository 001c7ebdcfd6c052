import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { REFERENCE_PAGES } from '../../scripts/reference.ts';
import { createTestBroker } from '../support/broker/test-broker.ts';
import { DEVICE_EXHIBITS } from './device-exhibits.ts';
import { ENVIRONMENT } from './exhibit.ts';
import { PAGE_EXHIBITS } from './page-exhibits.ts';

const exhibits = [...DEVICE_EXHIBITS, ...PAGE_EXHIBITS];

describe('the bug museum', () => {
  it.each(exhibits.map((exhibit) => [exhibit.rule, exhibit.peer, exhibit.source, exhibit] as const))(
    '%s (%s: %s)',
    async (_rule, _peer, _source, { yaml, prove }) => {
      const test = await createTestBroker({ environment: ENVIRONMENT, ...(yaml !== undefined && { yaml }) });
      try {
        await prove(test);
      } finally {
        await test.close();
      }
    },
  );

  it('has each rule once, and its page says the same; `npm run docs` writes it', () => {
    expect(new Set(exhibits.map(({ rule }) => rule)).size).toBe(exhibits.length);
    const file = 'docs/security/bug-museum.md';
    expect(readFileSync(join(import.meta.dirname, '../..', file), 'utf8')).toBe(REFERENCE_PAGES[file]?.());
  });
});
