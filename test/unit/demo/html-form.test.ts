import { expect, it } from 'vitest';
import { linksIn } from '../../../demo/html-form.ts';
import { INHERITED_NAMES } from '../../support/samples/inherited-names.ts';

const base = new URL('http://127.0.0.1:1');

it('reads the entities that a page may have in an address', () => {
  expect(linksIn('<a href="/a?b=1&amp;c=&#50;&x3;">', base).map(String)).toEqual(['http://127.0.0.1:1/a?b=1&c=2&x3;']);
});

it.each(INHERITED_NAMES)('leaves &%s; as it is: no entity has that name', (name) => {
  expect(linksIn(`<a href="/a?b=&${name};">`, base).map(String)).toEqual([`http://127.0.0.1:1/a?b=&${name};`]);
});
