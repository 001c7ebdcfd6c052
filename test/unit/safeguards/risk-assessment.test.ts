import { existsSync, readFileSync } from 'node:fs';
import { describe, expect, it } from 'vitest';
import { SAFEGUARD_PROFILES } from '../../../src/config/safeguard-profiles.ts';

const root = new URL('../../../', import.meta.url);
const page = readFileSync(new URL('docs/security/device-phishing.md', root), 'utf8');

describe('docs/security/device-phishing.md', () => {
  it('names only files that exist', () => {
    const files = [...page.matchAll(/`((?:src|test)\/[\w./-]+)`/g)].map(([, file = '']) => file);
    expect(files.length).toBeGreaterThan(10);
    expect(files.filter((file) => !existsSync(new URL(file, root)))).toEqual([]);
  });

  it('has a row for each of P1 to P20', () => {
    const rows = [...page.matchAll(/^\| P(\d+) \|/gm)].map(([, number]) => Number(number));
    expect(rows).toEqual(Array.from({ length: 20 }, (_, n) => n + 1));
  });

  it('says what the profiles say', () => {
    const { open, standard, strict } = SAFEGUARD_PROFILES;
    expect(page).toContain(`o ${open.complete}, s ${standard.complete}, S ${strict.complete}`);
    expect(page).toContain(`o, s ${standard.arrival}; S ${strict.arrival}`);
    expect(open.arrival).toBe(standard.arrival);
    expect(page).toContain(`s ${standard.sameNetwork}, S ${strict.sameNetwork}`);
    expect(page).toContain(`s ${standard.campaign}, S ${strict.campaign}`);
    expect(page).toContain(`S ${strict.holdSeconds} s`);
    expect(page).toContain(`S prompt ${strict.prompt}`);
    expect([open.sameNetwork, open.campaign]).toEqual(['off', 'off']);
  });
});
