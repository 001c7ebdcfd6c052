import { describe, expect, it } from 'vitest';
import { failureInWords, refusalInWords } from '../../../src/cli/login/messages.ts';
import { INHERITED_NAMES } from '../../support/samples/inherited-names.ts';

describe('what a server refused, in words', () => {
  it('has what can be done about it, where that is known', () => {
    expect(refusalInWords('invalid_scope', 'no such scope')).toBe(
      'The server refused (invalid_scope: no such scope). The client may not ask for these scopes: see --scope.',
    );
  });

  it.each(INHERITED_NAMES)('is the code alone for %s, which no server means', (name) => {
    expect(refusalInWords(name, undefined)).toBe(`The server refused (${name}).`);
    expect(failureInWords(Object.assign(new Error('x'), { error: name }))).toBe(`The server refused (${name}).`);
  });
});
