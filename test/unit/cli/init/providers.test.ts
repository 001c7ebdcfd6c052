import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { parse } from 'yaml';
import { plainSteps, recogniseProvider } from '../../../../src/cli/init/providers.ts';
import { PROVIDER_DOCUMENTS } from '../../../support/upstream/provider-documents.ts';

const GUIDES = join(import.meta.dirname, '../../../../docs/upstreams');
const at = {
  redirectUri: 'https://login.example.com/callback/corp',
  logoutUri: 'https://login.example.com/backchannel-logout/corp',
  frontLogoutUri: 'https://login.example.com/frontchannel-logout/corp',
};

/** Only Google is known by where it is. */
const originOf = (name: string) => (name === 'Google' ? 'https://accounts.google.com' : 'https://sso.example.com');

describe('a provider', () => {
  it.each(PROVIDER_DOCUMENTS)('$name is recognised, and its words are those of its guide', ({ name, metadata }) => {
    const provider = recogniseProvider(metadata(originOf(name)));
    expect(provider?.name).toBe(name);
    const steps = provider?.steps(at).join('\n') ?? '';
    expect(steps).toContain(at.redirectUri);
    const guide = readFileSync(join(GUIDES, provider?.guide ?? ''), 'utf8');
    const [listed = ''] = guide.split('```yaml');
    expect(steps.includes(at.logoutUri)).toBe(listed.includes(at.logoutUri));
    // Whoever sets it up is told where a logout comes from, or that none does.
    expect(steps).toMatch(/logout/i);
    for (const line of provider?.yaml ?? []) {
      const [[key, value] = ['', '']] = Object.entries(parse(line) as Record<string, unknown>);
      const [, block = ''] = /```yaml\n(.*?)```/s.exec(guide) ?? [];
      const { upstreams } = parse(block) as { upstreams: { corp: Record<string, unknown> } };
      expect(upstreams.corp[key]).toEqual(value);
    }
  });

  it.each(readdirSync(GUIDES).filter((file) => file !== 'README.md'))('%s says what a logout there ends', (file) => {
    expect(readFileSync(join(GUIDES, file), 'utf8')).toMatch(/logout|sign-out|signs? out/i);
  });

  it.each(['keycloak', 'authentik', 'okta', 'ping', 'auth0', 'zitadel'])(
    '%s.md says it in a section of its own, with what offline_access has to do with it',
    (name) => {
      const guide = readFileSync(join(GUIDES, `${name}.md`), 'utf8');
      const [, section = ''] = guide.split('\n## What a logout there ends\n');
      expect(section.split('\n## ')[0]).toMatch(/`offline_access`/);
      expect(section).toMatch(/ends|ended/);
    },
  );

  it.each([
    ['oidc-provider', { authorization_endpoint: '/auth', token_endpoint: '/token', jwks_uri: '/jwks' }],
    [
      'Spring',
      { authorization_endpoint: '/oauth2/authorize', token_endpoint: '/oauth2/token', jwks_uri: '/oauth2/jwks' },
    ],
    [
      'django-oauth-toolkit',
      { authorization_endpoint: '/o/authorize/', token_endpoint: '/o/token/', jwks_uri: '/o/.well-known/jwks.json' },
    ],
    ['one that says nothing', {}],
    ['one that says nonsense', { authorization_endpoint: 7, token_endpoint: null, jwks_uri: 'no address' }],
  ])('that is %s has the plain words', (_, paths) => {
    const origin = 'https://sso.example.com';
    const absolute = Object.entries(paths).map(([member, path]) => [
      member,
      typeof path === 'string' && path.startsWith('/') ? origin + path : path,
    ]);
    const metadata = { issuer: origin, ...Object.fromEntries(absolute) } as { issuer: string };
    expect(recogniseProvider(metadata)).toBeUndefined();
    expect(plainSteps(metadata, at).join('\n')).toContain(at.redirectUri);
  });
});
