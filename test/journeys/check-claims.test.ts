import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { afterEach, beforeEach, expect, it, vi } from 'vitest';
import { emptyFolder } from '../support/broker/init-run.ts';
import { runCli } from '../support/broker/run-cli.ts';
import { type FakeUpstream, startFakeUpstream } from '../support/upstream/fake-upstream.ts';

let folder: string;
let remove: () => Promise<void>;
let upstream: FakeUpstream;
beforeEach(async () => {
  ({ folder, remove } = await emptyFolder());
  upstream = await startFakeUpstream();
  vi.stubEnv('CORP_SECRET', upstream.clientSecret);
});
afterEach(async () => {
  vi.unstubAllEnvs();
  await upstream.close();
  await remove();
});

interface Wanted {
  /** What the upstream lists. */
  lists?: Record<string, unknown>;
  upstream?: object;
  client: object;
  /** Of the operations listener. */
  admin?: object;
}

/** What `check --probe` says of claims and groups; it never makes it fail. */
async function said({ lists = {}, upstream: more = {}, client, admin }: Wanted): Promise<string[]> {
  upstream.behaviour = { discovery: { metadata: lists } };
  const file = join(folder, 'gatehouse.yaml');
  const corp = { issuer: upstream.issuer, client_id: 'gatehouse', client_secret: { env: 'CORP_SECRET' }, ...more };
  const other = { name: 'Other', approvers: { upstreams: ['corp'] } };
  const yaml = {
    public_url: 'http://127.0.0.1:8080',
    upstreams: { corp },
    clients: { cli: { name: 'CLI', ...client }, other },
    ...(admin !== undefined && { operations: { port: 9090, admin } }),
  };
  writeFileSync(file, JSON.stringify(yaml));
  const { code, out } = await runCli('check', '--probe', '--config', file);
  expect(code, out).toBe(0);
  return out.split('\n').filter((line) => /approvers of|claims of|operations\.admin/.test(line));
}

const listed = ['sub', 'name', 'email'];

it.each<[string, Wanted, RegExp]>([
  [
    'groups that approvers need',
    { lists: { claims_supported: listed }, client: { approvers: { groups: ['eng'] } } },
    /^upstream corp: missing: approvers of cli need groups, which it does not list/,
  ],
  [
    'groups that open the admin API',
    { lists: { claims_supported: listed }, client: {}, admin: { upstream: 'corp', groups: ['helpdesk'] } },
    /^upstream corp: missing: operations\.admin needs groups, which it does not list/,
  ],
  [
    'groups that open the admin API, by the name that the upstream has for them',
    {
      lists: { claims_supported: listed },
      upstream: { claims: { groups: 'roles' } },
      client: {},
      admin: { upstream: 'corp', groups: ['helpdesk'] },
    },
    /operations\.admin needs roles, which/,
  ],
  [
    'groups that must not be there, by the name that the upstream has for them',
    {
      lists: { claims_supported: listed },
      upstream: { claims: { groups: 'realm_access.roles' } },
      client: { approvers: { deny_groups: ['guests'] } },
    },
    /approvers of cli need realm_access\.roles, which/,
  ],
  [
    'a claim of a condition',
    {
      lists: { claims_supported: listed },
      client: { approvers: { require: [{ claim: 'hd', any_of: ['example.com'] }] } },
    },
    /approvers of cli need hd, which/,
  ],
  [
    'claims that tokens copy',
    { lists: { claims_supported: listed }, client: { claims: ['email', 'department', 'valueOf'] } },
    /claims of cli name department, valueOf, which it does not list .* tokens go without$/,
  ],
  [
    'a scope that brings groups, and is not asked for',
    {
      lists: { scopes_supported: ['openid', 'profile', 'email', 'groups'] },
      client: { approvers: { groups: ['eng'] } },
    },
    /approvers of cli need groups, and its scope groups is not asked for: add groups to scopes$/,
  ],
])('check --probe tells of %s', async (_, wanted, words) => {
  expect(await said(wanted)).toEqual([expect.stringMatching(words)]);
});

it.each<[string, Wanted]>([
  ['nothing is listed at all', { client: { approvers: { groups: ['eng'] }, claims: ['department'] } }],
  [
    'all of it is listed',
    {
      lists: { claims_supported: [...listed, 'groups', 'hd'] },
      client: { approvers: { groups: ['eng'] }, claims: ['name'] },
    },
  ],
  [
    'the claim that it is a part of is listed',
    {
      lists: { claims_supported: [...listed, 'realm_access'] },
      upstream: { claims: { groups: 'realm_access.roles' } },
      client: { approvers: { groups: ['eng'] } },
    },
  ],
  ['nobody needs any', { lists: { claims_supported: [] }, client: {} }],
  ['the list is no list', { lists: { claims_supported: 'groups' }, client: { approvers: { groups: ['eng'] } } }],
  [
    'the scope is asked for',
    {
      lists: { scopes_supported: ['openid', 'groups'] },
      upstream: { scopes: ['openid', 'groups'] },
      client: { approvers: { groups: ['eng'] } },
    },
  ],
])('and says nothing where %s', async (_, wanted) => expect(await said(wanted)).toEqual([]));
