import { mkdtempSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { contrast, themeRules } from '../../../src/pages/frame/theme.ts';
import { openPageHarness } from '../../support/browser/page-harness.ts';

function colours(rules: string): Record<string, string>[] {
  return [...rules.matchAll(/:root:root \{([^}]*)\}/g)].map(([, inner = '']) =>
    Object.fromEntries([...inner.matchAll(/(--[\w-]+): (#\w+);/g)].map(([, name = '', value = '']) => [name, value])),
  );
}

describe('a theme', () => {
  it('has 4.5:1 for every text, whatever accent and background are', () => {
    const steps = ['00', '33', '55', '77', '99', 'bb', 'ff'];
    for (const red of steps) {
      for (const green of steps) {
        for (const blue of steps) {
          const chosen = `#${red}${green}${blue}`;
          const [light = {}, dark = {}] = colours(themeRules({ accent: chosen, background: chosen }));
          expect(light['--accent']).toBe(chosen);
          for (const [scheme, sheet] of [
            [light, '#ffffff'],
            [dark, '#1c2024'],
          ] as const) {
            const pairs = [
              [scheme['--on-accent'], scheme['--accent']],
              [scheme['--accent-ink'], sheet],
              [scheme['--on-ground'], scheme['--ground']],
              [scheme['--quiet-on-ground'], scheme['--ground']],
            ];
            for (const [ink = '', deps = ''] of pairs) expect(contrast(ink, deps), chosen).toBeGreaterThanOrEqual(4.5);
          }
        }
      }
    }
  });

  it('takes nothing that is not a colour, and says nothing where nothing was chosen', () => {
    expect(themeRules({})).toBe('');
    expect(themeRules({ accent: 'red;}body{display:none' })).toBe('');
  });

  it('knows contrast as WCAG does', () => {
    expect(contrast('#000', '#ffffff')).toBeCloseTo(21);
    expect(contrast('#777777', '#ffffff')).toBeCloseTo(4.48, 1);
  });
});

describe('an administrator’s own stylesheet', () => {
  it('wins over ours, with the chosen colours after it', async () => {
    const views = mkdtempSync(join(tmpdir(), 'views-'));
    writeFileSync(join(views, 'style.css'), 'h1 { color: teal }\n');
    const harness = openPageHarness({ settings: { views, theme: { accent: '#336699' } } });
    const visitor = harness.newVisitor();
    const [, address = ''] = /rel="stylesheet" href="([^"]+)"/.exec((await visitor.open('/device')).text) ?? [];
    const { text } = await visitor.get(address);
    expect(text).toMatch(/^h1 \{ color: teal \}/);
    expect(text).toContain('--accent: #336699');
  });
});
