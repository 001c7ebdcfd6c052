import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { createHostJudge, foreignToListener } from '../../../src/network/requested-host.ts';

describe('the host that was asked for, at http://127.0.0.1:8080', () => {
  const judge = createHostJudge('http://127.0.0.1:8080/gate');

  it.each([
    ['127.0.0.1:8080', 'own'],
    ['127.0.0.1', 'own'],
    ['127.0.0.1:9', 'own'],
    ['localhost:8080', 'other_name'],
    ['LOCALHOST:8080', 'other_name'],
    ['gatehouse.localhost:8080', 'other_name'],
    ['[::1]:8080', 'other_name'],
    ['[::ffff:127.0.0.1]:8080', 'other_name'],
    ['127.0.0.2:8080', 'other_name'],
    // A replica, or a proxy that names what it passes on to: to send people away from there could lead round in a circle.
    ['localhost:9', 'own'],
    ['localhost', 'own'],
    ['[::1]', 'own'],
    [undefined, 'own'],
    ['evil.example', 'foreign'],
    ['evil.example:8080', 'foreign'],
    ['127.0.0.1.evil.example:8080', 'foreign'],
    ['localhost.evil.example', 'foreign'],
    ['192.0.2.1:8080', 'foreign'],
    ['0.0.0.0:8080', 'foreign'],
    ['[::]:8080', 'foreign'],
    ['', 'foreign'],
    ['evil.example@127.0.0.1:8080', 'foreign'],
    ['127.0.0.1:8080/evil.example', 'foreign'],
    ['127.0.0.1:8080:8080', 'foreign'],
    ['127.0.0.1 evil.example', 'foreign'],
    ['evil.example\\127.0.0.1', 'foreign'],
    ['toString', 'foreign'],
  ])('%s is %s', (host, judged) => expect(judge(host)).toBe(judged));

  it('is the port of the scheme where none is written', () => {
    expect(createHostJudge('http://localhost')('127.0.0.1:80')).toBe('other_name');
    expect(createHostJudge('http://localhost')('127.0.0.1')).toBe('other_name');
  });

  it('never is a name that is not of this machine, whatever came before', () => {
    const host = fc.oneof(
      fc.domain(),
      fc.webAuthority(),
      fc.string(),
      fc.constantFrom('localhost:8080', '127.0.0.1:8080'),
    );
    fc.assert(
      fc.property(host, (text) => {
        const judged = judge(text);
        expect(judged).toBe(createHostJudge('http://127.0.0.1:8080/gate')(text));
        if (judged !== 'foreign') expect(text).toMatch(/^(\[[\da-f:.]+\]|127[\d.]+|([\w-]+\.)*localhost\.?)(:\d*)?$/i);
      }),
      { numRuns: 2000 },
    );
  });
});

it('whatever was asked for, a broker on https answers: the certificate names it', () => {
  expect(createHostJudge('https://login.example.com')('10.0.0.7:8443')).toBe('own');
});

describe('a listener that has no address of its own', () => {
  it.each(['127.0.0.1', '127.9.9.9', '::1', 'localhost'])('on %s is for this machine', (address) => {
    const isForeign = foreignToListener(address);
    for (const host of ['127.0.0.1:9090', 'localhost', '[::1]:1', 'a.localhost:9090', undefined]) {
      expect(isForeign?.(host)).toBe(false);
    }
    for (const host of ['evil.example:9090', '192.0.2.1', 'localhost.evil.example', '']) {
      expect(isForeign?.(host)).toBe(true);
    }
  });

  it.each(['0.0.0.0', '::', '10.1.2.3', 'gatehouse.internal'])('on %s answers to every name', (address) => {
    expect(foreignToListener(address)).toBeUndefined();
  });
});
