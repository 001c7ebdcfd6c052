import { describe, expect, it } from 'vitest';
import { awayCause } from '../../../src/storage/redis/away-cause.ts';

function error(message: string, code?: string): Error {
  return Object.assign(new Error(message), code === undefined ? {} : { code });
}

describe('why Redis is away', () => {
  it.each([
    [error('WRONGPASS invalid username-password pair or user is disabled.'), /one of them was changed/],
    [error('ERR invalid password'), /one of them was changed/],
    [error('NOAUTH Authentication required.'), /wants a password/],
    [error("NOPERM User gatehouse has no permissions to run the 'evalsha' command"), /may not do what is needed/],
    [error('getaddrinfo ENOTFOUND redis.internal', 'ENOTFOUND'), /has no address/],
    [error('getaddrinfo EAI_AGAIN redis.internal', 'EAI_AGAIN'), /has no address/],
    [error('connect ECONNREFUSED 127.0.0.1:6379', 'ECONNREFUSED'), /nothing accepts connections/],
    [error('connect ENOENT /run/redis/redis.sock', 'ENOENT'), /no Redis listens at that socket/],
    [error('connect ECONNREFUSED /var/run/left-behind.sock', 'ECONNREFUSED'), /no Redis listens at that socket/],
    [error('connect EACCES /run/redis/redis.sock', 'EACCES'), /may not use that socket.*unixsocketperm/],
    [error('connect ETIMEDOUT', 'ETIMEDOUT'), /nothing answers at that address/],
    [error('connect EHOSTUNREACH 10.0.0.9:6379', 'EHOSTUNREACH'), /nothing answers at that address/],
    [error('self-signed certificate in certificate chain', 'SELF_SIGNED_CERT_IN_CHAIN'), /tls\.ca/],
    [error('certificate has expired', 'CERT_HAS_EXPIRED'), /certificate is not good/],
    [error('write EPROTO 00:error:0A00010B:SSL routines::wrong version number', 'EPROTO'), /one side speaks TLS/],
    [error('DENIED Redis is running in protected mode'), /protected mode/],
    [error('ERR max number of clients reached'), /maxclients/],
  ])('%s', (thrown, meaning) => {
    const { words } = awayCause(thrown);
    expect(words).toMatch(meaning);
    expect(words).toContain(thrown.message);
  });

  it('is what the node of a cluster said, where only that says it', () => {
    const all = Object.assign(new Error('Failed to refresh slots cache.'), {
      lastNodeError: error('NOAUTH Authentication required.'),
    });
    expect(awayCause(all).words).toMatch(/wants a password/);
  });

  it('is told in its own words where it is nothing known', () => {
    expect(awayCause(error('something new'))).toEqual({ kind: 'other', words: 'something new' });
  });
});
