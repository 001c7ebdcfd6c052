import fc from 'fast-check';
import ipaddr from 'ipaddr.js';
import { describe, expect, it } from 'vitest';
import { isPrivateHost, isPublicAddress, leadsHere } from '../../../src/network/public-address.ts';

describe('an address of the public internet', () => {
  it.each([
    '1.1.1.1',
    '198.41.0.4',
    '172.15.255.255',
    '172.32.0.1',
    '100.63.255.255',
    '2606:4700::1',
    '::ffff:1.1.1.1',
  ])('is %s', (address) => expect(isPublicAddress(address)).toBe(true));
  it('is one that is reached by translation', () => expect(isPublicAddress('64:ff9b::1.1.1.1')).toBe(true));

  it.each([
    '0.0.0.0',
    '10.1.2.3',
    '100.64.0.1',
    '127.0.0.1',
    '169.254.169.254',
    '172.16.0.1',
    '192.168.1.1',
    '198.18.0.1',
    '224.0.0.1',
    '255.255.255.255',
    '::',
    '::1',
    '::ffff:10.0.0.1',
    '::ffff:7f00:1',
    '::10.0.0.1',
    '64:ff9b::10.0.0.1',
    '64:ff9b:1::1.1.1.1',
    '2001:db8::1',
    '2001::1',
    '2002:a00:1::',
    'fc00::1',
    'fd12:3456::1',
    'fe80::1',
    'fe80::1%eth0',
    'ff02::1',
    'not an address',
    '',
  ])('is not %s', (address) => expect(isPublicAddress(address)).toBe(false));
});

describe('a host that is private as its text shows it', () => {
  it.each(['10.0.0.7', '127.0.0.1', '0.0.0.0', '[fd00::7]', '[::ffff:a00:7]', '[::]', 'localhost', 'sso.localhost'])(
    'is %s',
    (host) => expect(isPrivateHost(host)).toBe(true),
  );
  it.each(['1.1.1.1', '[2606:4700::1]', 'sso.example.com', 'internal'])('is not %s', (host) =>
    expect(isPrivateHost(host)).toBe(false),
  );
});

describe('a host that leads to who asks', () => {
  it.each(['localhost', 'localhost.', '127.9.9.9', '0.0.0.0', '[::]', '[::1]', '[::ffff:7f00:1]'])('is %s', (host) =>
    expect(leadsHere(host)).toBe(true),
  );
  it.each(['10.0.0.7', '[2606:4700::1]', 'sso.example.com'])('is not %s', (host) =>
    expect(leadsHere(host)).toBe(false),
  );
});

describe('what another reader takes for an address of the internet', () => {
  /** Some special purposes are reachable by everybody: IANA's registry says so of these. */
  const REACHABLE = ['unicast', 'as112', 'amt'];
  const isReachable = (address: string) => REACHABLE.includes(ipaddr.process(address).range());

  const starts = fc.constantFrom('2001:', '2001:db8:', '2002:', 'fc00:', 'fe80:', 'ff02:', '3fff:', '2600:', '4000:');
  const ends = fc.array(fc.integer({ min: 0, max: 0xffff }), { minLength: 1, maxLength: 4 });
  const nearby = fc
    .tuple(starts, ends)
    .map(([start, groups]) => `${start}:${groups.map((n) => n.toString(16)).join(':')}`);
  const written = fc.oneof(fc.ipV4(), fc.ipV6(), nearby).filter((address) => ipaddr.isValid(address));

  it('is one here, where it is in use at all, and nothing else is', () => {
    fc.assert(
      fc.property(written, (address) => {
        const isTranslated = ipaddr.process(address).range() === 'rfc6052';
        const isInUse = !address.includes(':') || /^[23][0-9a-f]{3}:/i.test(address);
        if (isPublicAddress(address)) expect([address, isReachable(address) || isTranslated]).toEqual([address, true]);
        else if (isInUse) expect([address, isReachable(address)]).toEqual([address, false]);
      }),
      { numRuns: 3000 },
    );
  });
});
