import { describe, expect, it } from 'vitest';
import { SAFEGUARD_PROFILES } from '../../../src/config/safeguard-profiles.ts';
import {
  type ArrivalHeaders,
  arrivalModeOfAll,
  arrivalOf,
  judgeArrival,
  mayFollowLink,
} from '../../../src/safeguards/arrival.ts';

const PUBLIC_URL = 'https://login.example.com/gate';

const typed: ArrivalHeaders = { 'sec-fetch-site': 'none' };
const followed: ArrivalHeaders = {
  'sec-fetch-site': 'cross-site',
  referer: 'https://webmail.example.net/inbox?m=17',
};

describe('how a browser came', () => {
  it.each<[string, ArrivalHeaders, string, string | undefined]>([
    ['a typed address, a QR code, a link in a terminal', typed, 'typed', undefined],
    ['a link on another site', followed, 'cross_site', 'webmail.example.net'],
    ['the same with noreferrer', { 'sec-fetch-site': 'cross-site' }, 'cross_site', undefined],
    ['a link on our own page', { 'sec-fetch-site': 'same-origin' }, 'same_site', undefined],
    [
      'our own page, with its address',
      { 'sec-fetch-site': 'same-origin', referer: PUBLIC_URL },
      'same_site',
      undefined,
    ],
    ['a page of the same company', { 'sec-fetch-site': 'same-site' }, 'same_site', undefined],
    ['an old browser, from another site', { referer: 'https://evil.example/' }, 'cross_site', 'evil.example'],
    ['an old browser, from ourselves', { referer: 'https://login.example.com/gate/device' }, 'same_site', undefined],
    [
      'an old browser, from our host by another scheme',
      { referer: 'http://login.example.com/' },
      'cross_site',
      'login.example.com',
    ],
    ['a browser that says nothing', {}, 'unknown', undefined],
    ['a Referer that is no address', { referer: 'about:client' }, 'unknown', undefined],
    ['a value that does not exist', { 'sec-fetch-site': 'everywhere' }, 'unknown', undefined],
    [
      'a foreign page that claims nothing in Referer',
      { ...followed, referer: 'javascript:1' },
      'cross_site',
      undefined,
    ],
    [
      'a name that looks like ours',
      { ...followed, referer: 'https://lоgin.example.com/' },
      'cross_site',
      'xn--lgin-55d.example.com',
    ],
  ])('%s', (_, headers, arrival, from) => {
    expect(arrivalOf(headers, PUBLIC_URL)).toEqual({ arrival, from });
  });
});

describe('a link from another site', () => {
  it.each([
    ['off', 'go', 'go', 'go'],
    ['warn', 'stop_with_continue', 'go', 'go'],
    ['strict', 'stop', 'go', 'go_without_code'],
  ] as const)(
    'with arrival: %s gets %s; a typed address %s; what cannot be told %s',
    (mode, link, address, unknown) => {
      expect(judgeArrival(mode, followed, PUBLIC_URL).verdict).toBe(link);
      expect(judgeArrival(mode, typed, PUBLIC_URL).verdict).toBe(address);
      expect(judgeArrival(mode, {}, PUBLIC_URL).verdict).toBe(unknown);
    },
  );

  it('names the host that it came from', () => {
    expect(judgeArrival('warn', followed, PUBLIC_URL).from).toBe('webmail.example.net');
  });
});

describe('before the client is known', () => {
  const clients = (...modes: ('off' | 'warn' | 'strict')[]) =>
    modes.map((arrival) => ({ safeguards: { ...SAFEGUARD_PROFILES.standard, arrival } }));

  it.each([
    [['strict', 'strict'], 'strict'],
    [['off', 'off'], 'off'],
    [['off', 'strict'], 'warn'],
    [['off', 'warn'], 'warn'],
    [['warn'], 'warn'],
    [[], 'off'],
  ] as const)('clients with %j are judged by %s', (modes, mode) => {
    expect(arrivalModeOfAll(clients(...modes))).toBe(mode);
  });

  it('a strict client stops who went on past a milder stop page', () => {
    expect(mayFollowLink('strict')).toBe(false);
    expect(mayFollowLink('warn')).toBe(true);
    expect(mayFollowLink('off')).toBe(true);
  });
});
