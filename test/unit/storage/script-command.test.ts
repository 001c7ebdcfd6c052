import fc from 'fast-check';
import { Command } from 'ioredis';
import { expect, it } from 'vitest';
import { ScriptCommand } from '../../../src/storage/redis/script-command.ts';

const SHA1 = 'a'.repeat(40);
const anyTexts = fc.array(
  fc.oneof(fc.string({ unit: 'binary' }), fc.constantFrom('', '\r\n', '$3\r\nfoo\r\n', '漢|é')),
  {
    maxLength: 8,
  },
);

it('is, byte for byte, what ioredis writes for the same keys and arguments', () => {
  fc.assert(
    fc.property(anyTexts, anyTexts, (keys, args) => {
      const theirs = new Command('evalsha', [SHA1, String(keys.length), ...keys, ...args]);
      expect(new ScriptCommand(SHA1, keys, args).toWritable()).toBe(theirs.toWritable({}));
    }),
  );
});
