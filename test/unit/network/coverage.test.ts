import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { type Cidr, networkText, parsedCidr } from '../../../src/network/cidr.ts';
import { coversMost } from '../../../src/network/coverage.ts';

const covers = (...networks: string[]) => coversMost(networks.map(parsedCidr));

/** A network in halves, again and again, in an order of nobody's choosing. */
function inPieces(network: string, depth: number): string[] {
  const { address, bits } = parsedCidr(network);
  if (depth === 0) return [network];
  const upper = address.slice();
  upper[bits >> 3] = (upper[bits >> 3] ?? 0) | (0x80 >> (bits & 7));
  return [upper, address].flatMap((half) => inPieces(networkText(half, bits + 1), depth - 1));
}

describe('networks together mean everybody', () => {
  it.each([
    ['at once', ['0.0.0.0/0']],
    ['by IPv6', ['::/0']],
    ['in IPv6 form', ['::ffff:0:0/96']],
    ['in two halves', ['0.0.0.0/1', '128.0.0.0/1']],
    ['in two halves of which one is in IPv6 form', ['128.0.0.0/1', '::ffff:0.0.0.0/97']],
    ['as all that a visitor can have', ['0.0.0.0/1', '128.0.0.0/2', '192.0.0.0/3']],
    ['as half of it', ['128.0.0.0/1']],
    ['as all of the internet by IPv6', ['2000::/3']],
    ['as all of it that is given out', ['2000::/4']],
    ['as all of IPv4 behind a translator', ['64:ff9b::/96']],
    ['as that in two halves', ['64:ff9b::/97', '64:ff9b::8000:0/97']],
    ['as all of IPv4 by 6to4', ['2002::/16']],
    ['as half of that', ['2002:8000::/17']],
    ['with the translator’s among what nobody has', ['::/3']],
    ['beside an honest one', ['192.0.2.0/24', '0.0.0.0/2', '64.0.0.0/2']],
    ['with one inside another', ['0.0.0.0/2', '0.0.0.0/3', '10.0.0.0/8', '64.0.0.0/2']],
  ])('%s', (_, networks) => expect(covers(...networks)).toBe(true));

  it.each([
    ['nothing', []],
    ['all private networks', ['10.0.0.0/8', '172.16.0.0/12', '192.168.0.0/16', '127.0.0.0/8', 'fc00::/7', 'fe80::/10']],
    ['a quarter, twice', ['0.0.0.0/2', '0.0.0.0/2', '0.0.0.0/2']],
    [
      'all of IPv6 that nobody has',
      ['::/10', '80::/9', '100::/8', '200::/7', '400::/6', '800::/5', '1000::/4', '4000::/2', '8000::/1'],
    ],
    ['one provider', ['2600::/12', '3.0.0.0/8']],
    ['a proxy behind a translator', ['64:ff9b::c000:200/120', '2002:c000:200::/48']],
  ])('%s does not', (_, networks) => expect(covers(...networks)).toBe(false));

  it('however it is cut, and in whatever order', () => {
    const whole = fc.constantFrom('0.0.0.0/0', '::/0', '2000::/3', '0.0.0.0/1');
    const cut = fc
      .tuple(whole, fc.nat(6))
      .chain(([network, depth]) => fc.shuffledSubarray(inPieces(network, depth), { minLength: 1 << depth }));
    fc.assert(fc.property(cut, (pieces) => covers(...pieces)));
  });

  it('not more by what is there twice, nor less by what is there besides', () => {
    const network: fc.Arbitrary<Cidr> = fc
      .tuple(fc.uint8Array({ minLength: 4, maxLength: 4 }), fc.integer({ min: 1, max: 32 }))
      .map(([address, bits]) => ({ address, bits }));
    const some = fc.array(network, { maxLength: 12 });
    fc.assert(
      fc.property(some, some, (networks, more) => {
        expect(coversMost([...networks, ...networks])).toBe(coversMost(networks));
        if (coversMost(networks)) expect(coversMost([...more, ...networks])).toBe(true);
      }),
    );
  });
});
