import { describe, expect, it } from 'vitest';
import { describe as describeConfig } from '../../../src/cli/check/check.ts';
import { selfSigned } from '../../support/samples/self-signed.ts';
import { type Around, type Lines, leastFile, read } from './written.ts';

/** How upstreams are reached: what is read, what is warned of, and what `check` says of it. */

const reachOf = (lines: Lines, around: Around = {}) => read(leastFile(lines), around).upstreams[0]?.reach;
const warningsOf = (environment: Record<string, string>, lines: Lines = {}) =>
  read(leastFile(lines), { environment })
    .warnings.filter(({ key }) => key === 'proxy')
    .map(({ key, text }) => `${key}: ${text}`);

describe('how an upstream is reached', () => {
  it('is read from its keys', () => {
    const { cert } = selfSigned();
    const upstream = [
      'back_channel: https://keycloak.svc:8443',
      'endpoints: { discovery: "https://a.example/doc?p=x", token: "http://127.0.0.1:8080/token" }',
      'ca: { file: ca.pem }',
      'proxy: { url: "http://proxy.example.com:3128", username: gatehouse, password: { env: P } }',
      'timeout: 5s',
    ].join('\n');
    const reach = reachOf({ upstream }, { environment: { P: 'hunter2' }, files: { 'ca.pem': `Our CA\n${cert}\n` } });
    expect(reach).toMatchObject({
      backChannel: 'https://keycloak.svc:8443',
      endpoints: { discovery: 'https://a.example/doc?p=x', token: 'http://127.0.0.1:8080/token' },
      proxy: { url: 'http://proxy.example.com:3128', username: 'gatehouse' },
      timeoutSeconds: 5,
    });
    expect(reach?.ca).toBe(cert.trim());
    expect(reach?.proxy?.password?.reveal()).toBe('hunter2');
  });

  it.each<[Lines, string | undefined]>([
    [{}, undefined],
    [{ top: 'proxy: http://one:3128' }, 'http://one:3128'],
    [{ top: 'proxy: http://one:3128', upstream: 'proxy: https://two:3128' }, 'https://two:3128'],
    [{ top: 'proxy: http://one:3128', upstream: 'proxy: none' }, undefined],
    [{ top: 'proxy: none', upstream: 'proxy: http://two' }, 'http://two'],
  ])('goes over its own proxy, else the one at the top: %j', (lines, url) => {
    expect(reachOf(lines)?.proxy?.url).toBe(url);
  });
});

describe('a proxy that the environment names and that is not used', () => {
  it.each(['HTTPS_PROXY', 'https_proxy', 'ALL_PROXY', 'all_proxy'])('is warned of: %s', (name) => {
    const [warning = '', ...more] = warningsOf({ [name]: 'http://me:hunter2@proxy:3128' });
    expect(warning).toContain(`${name} is set and is not used: corp would be called directly`);
    expect(warning).toContain('proxy: none');
    expect(warning).not.toContain('hunter2');
    expect(more).toEqual([]);
  });

  it.each<[string, Record<string, string>, Lines]>([
    ['none is set', {}, {}],
    ['it is empty', { HTTPS_PROXY: '' }, {}],
    ['one is stated', { HTTPS_PROXY: 'http://proxy' }, { top: 'proxy: http://proxy:3128' }],
    ['none is stated', { HTTPS_PROXY: 'http://proxy' }, { top: 'proxy: none' }],
    ['each upstream says which', { HTTPS_PROXY: 'http://proxy' }, { upstream: 'proxy: none' }],
  ])('is not spoken of where %s', (_, environment, lines) => expect(warningsOf(environment, lines)).toEqual([]));
});

describe('gatehouse check', () => {
  const said = (lines: Lines, around: Around = {}) => describeConfig(read(leastFile(lines), around)).join('\n');

  it('says how an upstream is reached, where that is not plain', () => {
    expect(said({})).not.toMatch(/reached/);
    const upstream = [
      'back_channel: https://keycloak.svc:8443',
      'endpoints: { jwks: "https://keys.example.com/jwks" }',
      'proxy: { url: "http://proxy:3128", username: gatehouse, password: { env: P } }',
      'ca: { env: CA }',
    ].join('\n');
    const words = said({ upstream }, { environment: { P: 'hunter2', CA: selfSigned().cert } });
    expect(words).toContain(
      'reached at https://keycloak.svc:8443, jwks at https://keys.example.com/jwks, over the proxy http://proxy:3128, ' +
        'vouched for by 1 certificate of ca',
    );
    expect(words).not.toContain('hunter2');
  });

  it('says that private addresses are refused', () => {
    expect(said({ upstream: 'allow_private_addresses: false' })).toContain('reached at public addresses only');
  });
});
