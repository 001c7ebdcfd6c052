import { createHmac } from 'node:crypto';
import { once } from 'node:events';
import { createServer, type IncomingHttpHeaders, type IncomingMessage, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';
import { afterEach, describe, expect, it } from 'vitest';
import { Secret } from '../../../src/sealing/secret.ts';
import { type AuditingLogger, auditingLogger } from '../../../src/telemetry/audit/audit.ts';
import type { AuditSettings } from '../../../src/telemetry/audit/webhook.ts';
import { type Logger, silentLogger } from '../../../src/telemetry/logger.ts';
import { createMetrics } from '../../../src/telemetry/metrics.ts';

interface Delivery {
  headers: IncomingHttpHeaders;
  text: string;
  body: Record<string, unknown>;
}

const NONE: Delivery = { headers: {}, text: '', body: {} };
const NOW_MS = 1_700_000_000_000;
const WINDOW_MS = 10_000;

const stops: (() => void)[] = [];
afterEach(() => {
  for (const stop of stops.splice(0)) stop();
});

/** A webhook that answers what `statuses` says, one after another, then 204; not at all while it is held. */
async function startWebhook(statuses: number[] = []) {
  const deliveries: Delivery[] = [];
  let whenTaken = () => {};
  let release: (() => void) | undefined;
  let held: Promise<void> | undefined;
  async function take(request: IncomingMessage, response: ServerResponse): Promise<void> {
    const chunks: Buffer[] = [];
    for await (const chunk of request) chunks.push(chunk as Buffer);
    const text = Buffer.concat(chunks).toString();
    await held;
    const status = statuses.shift() ?? 204;
    if (status < 300) deliveries.push({ headers: request.headers, text, body: JSON.parse(text) });
    response.writeHead(status).end();
    whenTaken();
  }
  const server = createServer((request, response) => void take(request, response));
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  stops.push(() => {
    server.closeAllConnections();
    server.close();
  });
  const until = (count: number) =>
    new Promise<void>((resolve) => {
      whenTaken = () => {
        if (deliveries.length >= count) resolve();
      };
      whenTaken();
    });
  return {
    url: `http://127.0.0.1:${(server.address() as AddressInfo).port}/hook`,
    deliveries,
    until,
    names: () => deliveries.map(({ body }) => body['event']),
    hold() {
      held = new Promise((resolve) => {
        release = resolve;
      });
    },
    letGo: () => release?.(),
  };
}

/** Its windows end when the test says so; what pauses otherwise goes on at once. */
function auditTo(settings: AuditSettings) {
  const lines: { name: string; fields: Record<string, unknown> }[] = [];
  const sleeps: number[] = [];
  let ends: (() => void)[] = [];
  let whenLogged = () => {};
  const logger: Logger = {
    ...silentLogger,
    event(name, fields) {
      lines.push({ name, fields: { ...fields } });
      whenLogged();
    },
  };
  const sleep = (milliseconds: number): Promise<void> => {
    if (milliseconds !== WINDOW_MS) sleeps.push(milliseconds);
    return milliseconds === WINDOW_MS ? new Promise((resolve) => ends.push(resolve)) : Promise.resolve();
  };
  let drawn = 0;
  const metrics = createMetrics();
  const audit: AuditingLogger = auditingLogger(
    {
      ...{ logger, metrics, sleep, clock: () => NOW_MS },
      randomBytes(size) {
        drawn += 1;
        return Buffer.alloc(size, drawn);
      },
      sourceOf: (address) => (address.includes(':') ? address.slice(0, 9) : address),
    },
    settings,
  );
  return {
    audit,
    lines,
    sleeps,
    names: () => lines.map(({ name }) => name),
    async logged(name: string, count = 1) {
      while (lines.filter((line) => line.name === name).length < count) {
        await new Promise<void>((resolve) => {
          whenLogged = resolve;
        });
      }
    },
    endWindow() {
      const ending = ends;
      ends = [];
      for (const end of ending) end();
    },
    async metric(labels: string) {
      const { body } = await metrics.text();
      const found = body.split('\n').find((line) => line.startsWith(`gatehouse_audit_events_total{${labels}} `));
      return Number(found?.split(' ').at(-1) ?? 0);
    },
  };
}

describe('audit events', () => {
  it('are log lines, and reach the webhook with an id, a time and their fields, in order', async () => {
    const webhook = await startWebhook();
    const { audit, names } = auditTo({ webhook: { url: webhook.url } });
    audit.event('grant.approved', { client: 'tv', account: 'alice@example.com' });
    audit.event('grant.redeemed', { client: 'tv' });
    await webhook.until(2);
    expect(names()).toEqual(['grant.approved', 'grant.redeemed']);
    expect(webhook.deliveries.map(({ body }) => body)).toEqual([
      {
        id: 'evt_AQEBAQEBAQEBAQEBAQEBAQ',
        time: '2023-11-14T22:13:20.000Z',
        event: 'grant.approved',
        client: 'tv',
        account: 'alice@example.com',
      },
      { id: 'evt_AgICAgICAgICAgICAgICAg', time: '2023-11-14T22:13:20.000Z', event: 'grant.redeemed', client: 'tv' },
    ]);
  });

  it('leave out what the event does not name', async () => {
    const webhook = await startWebhook();
    const { audit } = auditTo({ webhook: { url: webhook.url } });
    audit.event('grant.redeemed', { client: 'tv', detail: 'a secret' } as never);
    await webhook.until(1);
    expect(webhook.deliveries[0]?.text).not.toContain('a secret');
  });

  it('are the signs of phishing and changes of the configuration too', async () => {
    const webhook = await startWebhook();
    const { audit, endWindow } = auditTo({ webhook: { url: webhook.url } });
    audit.event('link.followed', { detail: 'evil.example' });
    audit.event('campaign.noticed', { source: '203.0.113.7' });
    audit.event('config.refused', { file: 'gatehouse.yaml', problems: ['1:1 no'] });
    endWindow();
    await webhook.until(3);
    expect(new Set(webhook.names())).toEqual(new Set(['link.followed', 'campaign.noticed', 'config.refused']));
  });

  it('tell on_approval only that a device now acts as somebody', async () => {
    const webhook = await startWebhook();
    const { audit } = auditTo({ onApproval: { url: webhook.url } });
    audit.event('grant.denied', { client: 'tv' });
    audit.event('grant.approved', { client: 'tv' });
    await webhook.until(1);
    expect(webhook.names()).toEqual(['grant.approved']);
  });

  it('stay at home when the process only says how it fares', () => {
    const { audit, names } = auditTo({ webhook: { url: 'http://127.0.0.1:9/' } });
    audit.event('process.stopped');
    expect(names()).toEqual(['process.stopped']);
    expect(audit.writes('grant.polled')).toBe(false);
    expect(audit.writes('grant.approved')).toBe(true);
  });
});

describe('a delivery', () => {
  it('is signed by Standard Webhooks, and as before, with the time of the try', async () => {
    const webhook = await startWebhook();
    const { audit } = auditTo({ webhook: { url: webhook.url, secret: new Secret('shared') } });
    audit.event('grant.denied', { client: 'tv' });
    await webhook.until(1);
    const [{ headers, text, body } = NONE] = webhook.deliveries;
    expect(headers).toMatchObject({ 'webhook-id': body['id'], 'webhook-timestamp': '1700000000' });
    const signed = `${String(body['id'])}.1700000000.${text}`;
    expect(headers['webhook-signature']).toBe(`v1,${createHmac('sha256', 'shared').update(signed).digest('base64')}`);
    const v1 = createHmac('sha256', 'shared').update(`1700000000.${text}`).digest('hex');
    expect(headers['gatehouse-signature']).toBe(`t=1700000000,v1=${v1}`);
  });

  it('takes a secret in the standard’s form for what it stands for', async () => {
    const webhook = await startWebhook();
    const key = Buffer.from('a key of some twenty-six bytes');
    const secret = new Secret(`whsec_${key.toString('base64')}`);
    const { audit } = auditTo({ webhook: { url: webhook.url, secret } });
    audit.event('grant.denied', { client: 'tv' });
    await webhook.until(1);
    const [{ headers, text } = NONE] = webhook.deliveries;
    const signed = `${String(headers['webhook-id'])}.1700000000.${text}`;
    expect(headers['webhook-signature']).toBe(`v1,${createHmac('sha256', key).update(signed).digest('base64')}`);
  });

  it('is tried again with growing pauses, and the same id and body', async () => {
    const webhook = await startWebhook([500, 503]);
    const { audit, sleeps } = auditTo({ webhook: { url: webhook.url } });
    audit.event('grant.approved', { client: 'tv' });
    await webhook.until(1);
    expect(sleeps).toEqual([1000, 2000]);
    expect(webhook.deliveries[0]?.headers['webhook-id']).toBe('evt_AQEBAQEBAQEBAQEBAQEBAQ');
  });

  it('that is given up is said in the log, counted, and told with the next one', async () => {
    const webhook = await startWebhook([500, 500, 500, 500, 500]);
    const { audit, lines, logged, metric } = auditTo({ webhook: { url: webhook.url } });
    audit.event('grant.approved', { client: 'lost' });
    audit.event('grant.approved', { client: 'kept' });
    audit.event('grant.approved', { client: 'later' });
    await logged('audit.lost');
    await webhook.until(2);
    expect(lines.at(-1)?.fields).toMatchObject({ count: 1, detail: expect.stringContaining('answered 500') });
    expect(webhook.deliveries.map(({ body }) => body)).toMatchObject([
      { client: 'kept', dropped: { decisions: 1 } },
      { client: 'later' },
    ]);
    expect(webhook.deliveries[1]?.body).not.toHaveProperty('dropped');
    expect(await metric('target="webhook",line="decisions",outcome="dropped"')).toBe(1);
    expect(await metric('target="webhook",line="decisions",outcome="delivered"')).toBe(2);
  });

  it('that tells of lost ones and is lost itself leaves all of them to be told', async () => {
    const webhook = await startWebhook(Array.from({ length: 10 }, () => 500));
    const { audit } = auditTo({ webhook: { url: webhook.url } });
    for (const client of ['lost', 'lost too', 'kept']) audit.event('grant.approved', { client });
    await webhook.until(1);
    expect(webhook.deliveries[0]?.body).toMatchObject({ client: 'kept', dropped: { decisions: 2 } });
  });
});

describe('what strangers can send without end', () => {
  it('is told together, by kind and source, with its number and what is common to all', async () => {
    const webhook = await startWebhook();
    const { audit, endWindow } = auditTo({ webhook: { url: webhook.url } });
    for (let count = 0; count < 500; count += 1) {
      audit.event('client.refused', { source: '203.0.113.7', route: '/token', requestId: `r${count}` });
      audit.event('client.refused', { source: '198.51.100.9', route: '/token', client: 'tv' });
      audit.event('page.refused', { source: `2001:db8:${count}::1`, reason: 'not_found' });
      audit.event('limit.reached', { source: '203.0.113.7', limit: 'starts_per_source' });
      audit.event('limit.reached', { source: '203.0.113.7', limit: 'pending_per_source' });
    }
    endWindow();
    await webhook.until(5);
    const bodies = webhook.deliveries.map(({ body }) => body);
    expect(bodies).toMatchObject([
      { event: 'client.refused', source: '203.0.113.7', route: '/token', count: 500, until: expect.any(String) },
      { event: 'client.refused', source: '198.51.100.9', client: 'tv', count: 500 },
      { event: 'page.refused', reason: 'not_found', count: 500 },
      { event: 'limit.reached', limit: 'starts_per_source', count: 500 },
      { event: 'limit.reached', limit: 'pending_per_source', count: 500 },
    ]);
    expect(bodies[0]).not.toHaveProperty('requestId');
    expect(bodies[2]).not.toHaveProperty('source');
  });

  it('has a line each while it is little, and then one line with its number; with and without a webhook', async () => {
    const webhook = { url: 'http://127.0.0.1:1/nobody' };
    for (const settings of [{}, { webhook }]) {
      const { audit, lines, endWindow } = auditTo(settings);
      for (let count = 0; count < 500; count += 1) {
        audit.event('client.refused', { source: '203.0.113.7', route: '/token', requestId: `r${count}` });
        audit.event('page.refused', { source: '2001:db8:1::7', reason: 'not_found', status: 404 });
        audit.event('session.ended', { client: 'tv' });
      }
      const of = (name: string) => lines.filter((line) => line.name === name).map(({ fields }) => fields);
      expect([of('client.refused').length, of('page.refused').length, of('session.ended').length]).toEqual([
        30, 30, 500,
      ]);
      expect(of('client.refused')[29]).toEqual({ source: '203.0.113.7', route: '/token', requestId: 'r29' });
      endWindow();
      await Promise.resolve();
      const since = new Date(NOW_MS).toISOString();
      expect(of('client.refused').slice(30)).toEqual([{ source: '203.0.113.7', route: '/token', count: 470, since }]);
      expect(of('page.refused').slice(30)).toMatchObject([{ reason: 'not_found', status: 404, count: 470 }]);
      audit.event('client.refused', { source: '203.0.113.7', requestId: 'later' });
      expect(of('client.refused').at(-1)).toMatchObject({ requestId: 'later' });
    }
  });

  it('has a bounded number of lines, however many sources it comes from, and none is left out of the count', async () => {
    const { audit, lines, endWindow } = auditTo({});
    for (const name of ['code.wrong', 'link.followed', 'request.refused'] as const) {
      for (let count = 0; count < 5000; count += 1) {
        audit.event(name, { source: `10.0.${count >> 8}.${count & 255}`, requestId: `r${count}` });
      }
    }
    endWindow();
    await Promise.resolve();
    const counts = lines.map(({ fields }) => Number(fields['count'] ?? 1));
    expect(counts).toHaveLength(3 * (30 + 1));
    expect(counts.reduce((sum, count) => sum + count, 0)).toBe(15_000);
  });

  it('and each failing request while the storage is away: beside them a rare error has its own line', async () => {
    const { audit, lines, endWindow } = auditTo({});
    class StorageAwayError extends Error {
      override name = 'StorageAwayError';
    }
    for (let count = 0; count < 500; count += 1) {
      audit.event('request.failed', { requestId: `r${count}`, route: '/token', error: new StorageAwayError('away') });
    }
    audit.event('request.failed', { requestId: 'rare', route: '/token', error: new TypeError('a bug') });
    expect(lines).toHaveLength(31);
    expect(lines.at(-1)?.fields).toMatchObject({ requestId: 'rare' });
    endWindow();
    await Promise.resolve();
    expect(lines.slice(31).map(({ fields }) => fields)).toMatchObject([{ route: '/token', count: 470 }]);
  });

  it('is told in the log as well where the process ends before its ten seconds', async () => {
    const { audit, lines } = auditTo({});
    for (let count = 0; count < 100; count += 1) audit.event('code.wrong', { source: '203.0.113.7' });
    await audit.flush();
    expect(lines.at(-1)?.fields).toMatchObject({ source: '203.0.113.7', count: 70 });
  });

  it('costs a bounded number of events, however many sources it comes from, and none is left out of the count', async () => {
    const webhook = await startWebhook();
    const { audit, endWindow } = auditTo({ webhook: { url: webhook.url } });
    for (let count = 0; count < 5000; count += 1) {
      audit.event('code.wrong', { source: `10.0.${count >> 8}.${count & 255}` });
    }
    endWindow();
    await webhook.until(21);
    const counts = webhook.deliveries.map(({ body }) => Number(body['count']));
    expect(counts).toHaveLength(21);
    expect(counts.reduce((sum, count) => sum + count, 0)).toBe(5000);
  });

  it('takes no place from what somebody decided, nor from sessions', { timeout: 15_000 }, async () => {
    const webhook = await startWebhook();
    webhook.hold();
    const { audit, metric, endWindow } = auditTo({ webhook: { url: webhook.url } });
    for (let count = 0; count < 5000; count += 1) {
      audit.event('grant.started', { source: `10.0.${count >> 8}.${count & 255}`, client: 'tv' });
      audit.event('sign_in.failed', { source: `10.0.${count >> 8}.${count & 255}`, client: 'tv' });
      audit.event('grant.denied', { source: '203.0.113.7', reason: 'unauthenticated', by: 'upstream' });
    }
    for (let count = 0; count < 30; count += 1) {
      audit.event('session.refreshed', { client: 'tv' });
      audit.event('grant.approved', { client: 'tv' });
    }
    endWindow();
    webhook.letGo();
    await audit.flush();
    expect(await metric('target="webhook",line="decisions",outcome="delivered"')).toBe(30);
    expect(await metric('target="webhook",line="sessions",outcome="delivered"')).toBe(30);
    const others = ['delivered', 'dropped'].map((outcome) =>
      metric(`target="webhook",line="others",outcome="${outcome}"`),
    );
    expect((await Promise.all(others)).reduce((sum, count) => sum + count, 0)).toBe(15_000);
  });

  it('is told together too where a device is refused again with each poll, by its grant', async () => {
    const webhook = await startWebhook();
    const { audit, endWindow } = auditTo({ webhook: { url: webhook.url } });
    for (let count = 0; count < 100; count += 1) {
      audit.event('grant.refused', { grant: 'one', reason: 'scopes' });
      audit.event('grant.refused', { grant: 'other', reason: 'ended' });
    }
    endWindow();
    await webhook.until(4);
    expect(webhook.deliveries.map(({ body }) => [body['grant'], body['count']])).toEqual([
      ['one', undefined],
      ['other', undefined],
      ['one', 99],
      ['other', 99],
    ]);
  });

  it('goes out one by one while it is little, where each is a step of a grant', async () => {
    const webhook = await startWebhook();
    const { audit, endWindow } = auditTo({ webhook: { url: webhook.url } });
    for (let count = 0; count < 50; count += 1) {
      audit.event('grant.started', { source: '203.0.113.7', grant: `g${count}` });
    }
    endWindow();
    await webhook.until(21);
    const bodies = webhook.deliveries.map(({ body }) => body);
    expect(bodies.slice(0, 20).map(({ grant }) => grant)).toEqual(
      Array.from({ length: 20 }, (_, count) => `g${count}`),
    );
    expect(bodies[20]).toMatchObject({ event: 'grant.started', source: '203.0.113.7', count: 30 });
  });

  it('makes no flood of lines of its own where it is lost', async () => {
    const webhook = await startWebhook();
    webhook.hold();
    const { audit, lines, logged, endWindow } = auditTo({ webhook: { url: webhook.url } });
    for (let count = 0; count < 5000; count += 1) audit.event('grant.approved', { client: 'tv' });
    await logged('audit.lost');
    endWindow();
    await logged('audit.lost', 2);
    const counts = lines.filter(({ name }) => name === 'audit.lost').map(({ fields }) => fields['count']);
    expect(counts).toEqual([1, 3998]);
    webhook.letGo();
  });

  it('is bounded in bytes as well', async () => {
    const webhook = await startWebhook();
    webhook.hold();
    const { audit, metric } = auditTo({ webhook: { url: webhook.url } });
    const scopes = Array.from({ length: 50 }, () => 'x'.repeat(1000));
    for (let count = 0; count < 500; count += 1) audit.event('grant.approved', { client: 'tv', scopes });
    expect(await metric('target="webhook",line="decisions",outcome="dropped"')).toBeGreaterThan(400);
    webhook.letGo();
  });
});

describe('the end of the process', () => {
  it('waits until what is there has been delivered, the unfinished window too', async () => {
    const webhook = await startWebhook();
    const { audit } = auditTo({ webhook: { url: webhook.url }, onApproval: { url: webhook.url } });
    for (let count = 0; count < 10; count += 1) audit.event('grant.approved', { client: 'tv' });
    for (let count = 0; count < 100; count += 1) audit.event('code.wrong', { source: '203.0.113.7' });
    await audit.flush();
    expect(webhook.deliveries).toHaveLength(21);
    expect(webhook.deliveries.find(({ body }) => body['event'] === 'code.wrong')?.body).toMatchObject({ count: 100 });
  });

  it('says all that was lost, however shortly after the last time', { timeout: 15_000 }, async () => {
    const webhook = await startWebhook();
    webhook.hold();
    const { audit, lines } = auditTo({ webhook: { url: webhook.url } });
    for (let count = 0; count < 1010; count += 1) audit.event('grant.approved', { client: 'tv' });
    await audit.flush();
    const counts = lines.filter(({ name }) => name === 'audit.lost').map(({ fields }) => Number(fields['count']));
    expect(counts.reduce((sum, count) => sum + count, 0)).toBe(1010);
    webhook.letGo();
  });

  it('does not wait for ever for a target that says nothing, and says what was lost', { timeout: 15_000 }, async () => {
    const webhook = await startWebhook();
    webhook.hold();
    const { audit, lines, metric } = auditTo({ webhook: { url: webhook.url } });
    for (let count = 0; count < 3; count += 1) audit.event('grant.approved', { client: 'tv' });
    const began = performance.now();
    await audit.flush();
    expect(performance.now() - began).toBeLessThan(7000);
    expect(lines.at(-1)).toMatchObject({ name: 'audit.lost', fields: { count: 3 } });
    expect(await metric('target="webhook",line="decisions",outcome="dropped"')).toBe(3);
    webhook.letGo();
  });
});

describe('a reload', () => {
  it('lets a target that stays go on, and one that is taken out send what it has', async () => {
    const [first, second] = [await startWebhook(), await startWebhook()];
    first.hold();
    const { audit } = auditTo({ webhook: { url: first.url } });
    for (let count = 0; count < 3; count += 1) audit.event('grant.approved', { client: 'before' });
    audit.setTargets({ webhook: { url: first.url } });
    audit.event('grant.approved', { client: 'same' });
    audit.setTargets({ webhook: { url: second.url } });
    audit.event('grant.approved', { client: 'after' });
    first.letGo();
    await audit.flush();
    expect(first.deliveries.map(({ body }) => body['client'])).toEqual(['before', 'before', 'before', 'same']);
    expect(second.deliveries.map(({ body }) => body['client'])).toEqual(['after']);
  });
});
