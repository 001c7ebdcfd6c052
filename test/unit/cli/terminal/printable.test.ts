import { describe, expect, it } from 'vitest';
import { printable } from '../../../../src/cli/terminal/printable.ts';

describe('what another program sent', () => {
  it.each([
    ['control sequences', 'WDJB\u001b[2J\u001b[H-MJHT', 'WDJB[2J[H-MJHT'],
    ['line ends', 'one\r\ntwo', 'onetwo'],
    ['8-bit control characters', 'a\u009b31mb', 'a31mb'],
    ['characters that turn the reading direction', 'https://\u202emoc.elpmaxe', 'https://moc.elpmaxe'],
    ['characters that take no room', 'exa\u200bmple', 'example'],
  ])('is printed without %s', (_, text, printed) => {
    expect(printable(text)).toBe(printed);
  });

  it('keeps letters of all languages', () => {
    expect(printable('Zoë 山田 أحمد')).toBe('Zoë 山田 أحمد');
  });

  it('is cut where it has no end', () => {
    expect(printable('x'.repeat(5000))).toHaveLength(501);
  });
});
