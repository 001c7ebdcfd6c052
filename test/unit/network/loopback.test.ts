import { describe, expect, it } from 'vitest';
import { isLoopback } from '../../../src/network/loopback.ts';

describe('this machine', () => {
  it.each([
    'localhost',
    'LOCALHOST',
    'localhost.',
    'sso.localhost',
    'a.b.localhost',
    '127.0.0.1',
    '127.1.2.3',
    '[::1]',
    '[::ffff:7f00:1]',
    '[::ffff:127.0.0.1]',
  ])('is %s', (name) => expect(isLoopback(name)).toBe(true));

  it.each([
    '',
    'localhost.example.com',
    'notlocalhost',
    '127.0.0.1.example.com',
    '127.0.0.256',
    '127.0.0.1.',
    '127.1',
    '128.0.0.1',
    '0.0.0.0',
    '[::2]',
    '[::]',
    '[::ffff:128.0.0.1]',
    '[::7f00:1]',
    'example.com',
    'valueOf',
  ])('is not %s', (name) => expect(isLoopback(name)).toBe(false));
});
