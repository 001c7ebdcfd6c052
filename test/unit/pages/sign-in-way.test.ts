import { describe, expect, it } from 'vitest';
import { viewGrant } from '../../../src/grants/view-grant.ts';
import { openApproval, openDecision } from '../../../src/ledger/decision.ts';
import { decisionEntry } from '../../../src/ledger/entry-keys.ts';
import { basePath, openPageHarness, SOURCE } from '../../support/browser/page-harness.ts';

describe.each(['https://login.example.com', 'https://example.com/gate/house', 'http://127.0.0.1:8080'])(
  'the way of a person at %s',
  (publicUrl) => {
    const base = basePath(publicUrl);

    it('leads from the code over the upstream to an approval of what was shown', async () => {
      const harness = openPageHarness({ publicUrl });
      const visitor = harness.newVisitor();
      const { id, userCode, deviceCode } = await harness.start();

      const form = await visitor.open(`${base}/device`);
      expect(form.status).toBe(200);
      const way = await visitor.submit(form, { user_code: userCode.toLowerCase().replace('-', ' ') });
      expect(way.address).toMatch(`${base}/device/sign-in?`);
      expect(way.text).toContain('http-equiv="refresh"');
      const there = await visitor.get(way.links[0]?.href ?? '');
      expect(there.status).toBe(303);
      expect(there.location).toMatch('https://corp.example/authorize?');
      const address = new URL(there.location ?? '');
      expect(address.searchParams.get('redirect_uri')).toBe(`${publicUrl}/callback/corp`);

      const confirm = await visitor.open(`${base}/callback/corp?code=abc&state=${address.searchParams.get('state')}`);
      expect(confirm.status).toBe(200);
      expect(confirm.address).toMatch(`${base}/device/confirm?`);
      for (const words of ['Build CLI', 'alice@example.com', 'Read packages', 'packages:read', SOURCE, userCode]) {
        expect(confirm.words).toContain(words);
      }
      expect(confirm.words).toMatch(/in front of you/);
      expect(confirm.words).toMatch(/seconds? ago/);

      const done = await visitor.submit(confirm, { decision: 'approve' });
      expect(done.status).toBe(200);
      expect(done.address).toMatch(`${base}/device/done?`);
      expect(done.words).toMatch(/return to your device/);

      const { grants } = harness.deps;
      const view = await viewGrant(grants, id, 'somebody');
      expect(view?.state).toBe('approved');
      const [stored] = (await grants.ledger.read([decisionEntry(id)])).values;
      const decision = await openDecision(view?.grant as never, stored ?? '', grants.sealing);
      const approval = openApproval(decision as never, deviceCode);
      expect(approval).toMatchObject({
        upstream: 'corp',
        subject: 'alice',
        scopes: ['openid', 'packages:read'],
        claims: { department: 'R&D', email: 'alice@example.com' },
        groups: ['engineering'],
        upstreamTokens: { refreshToken: 'upstream-refresh' },
      });
      expect(JSON.stringify(approval)).not.toMatch(/secret_claim|upstream-access/);
    });

    it('leads to a denial too, which says so with 200', async () => {
      const harness = openPageHarness({ publicUrl });
      const visitor = harness.newVisitor();
      const { id, userCode } = await harness.start();
      const done = await visitor.submit(await harness.signIn(visitor, userCode), { decision: 'deny' });
      expect(done).toMatchObject({ status: 200, heading: 'Denied' });
      expect((await viewGrant(harness.deps.grants, id, ''))?.state).toBe('denied');
      expect(harness.upstreams['corp']?.revoked).toEqual(['upstream-refresh']);
    });
  },
);
