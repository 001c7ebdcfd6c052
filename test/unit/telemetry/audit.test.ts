import { createHmac } from 'node:crypto';
import { createServer, type IncomingHttpHeaders } from 'node:http';
import type { AddressInfo } from 'node:net';
import { afterEach, describe, expect, it } from 'vitest';
import { Secret } from '../../../src/sealing/secret.ts';
import { auditingLogger } from '../../../src/telemetry/audit.ts';
import { type Logger, silentLogger } from '../../../src/telemetry/logger.ts';

interface Delivery {
  headers: IncomingHttpHeaders;
  body: string;
}

const stops: (() => void)[] = [];
afterEach(() => {
  for (const stop of stops.splice(0)) stop();
});

/** A webhook that answers what `statuses` says, one after another, then 204. */
async function startWebhook(statuses: number[] = []) {
  const deliveries: Delivery[] = [];
  let whenTaken = () => {};
  const server = createServer((request, response) => {
    let body = '';
    request.on('data', (chunk) => {
      body += chunk;
    });
    request.on('end', () => {
      const status = statuses.shift() ?? 204;
      if (status < 300) deliveries.push({ headers: request.headers, body });
      response.writeHead(status).end();
      whenTaken();
    });
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  stops.push(() => server.close());
  const until = (count: number) =>
    new Promise<void>((resolve) => {
      whenTaken = () => {
        if (deliveries.length >= count) resolve();
      };
      whenTaken();
    });
  return { url: `http://127.0.0.1:${(server.address() as AddressInfo).port}/hook`, deliveries, until };
}

function auditTo(settings: Parameters<typeof auditingLogger>[1]) {
  const lines: string[] = [];
  const sleeps: number[] = [];
  let whenLost = () => {};
  const logger: Logger = {
    ...silentLogger,
    event(name) {
      lines.push(name);
      if (name === 'audit.lost') whenLost();
    },
  };
  const sleep = async (milliseconds: number) => void sleeps.push(milliseconds);
  const lost = new Promise<void>((resolve) => {
    whenLost = resolve;
  });
  return { audit: auditingLogger({ logger, clock: () => 1_700_000_000_000, sleep }, settings), lines, sleeps, lost };
}

describe('audit events', () => {
  it('are log lines, and reach the webhook with their fields, in order', async () => {
    const webhook = await startWebhook();
    const { audit, lines } = auditTo({ webhook: { url: webhook.url } });
    audit.event('grant.approved', { client: 'tv', account: 'alice@example.com' });
    audit.event('grant.redeemed', { client: 'tv' });
    await webhook.until(2);
    expect(lines).toEqual(['grant.approved', 'grant.redeemed']);
    expect(webhook.deliveries.map(({ body }) => JSON.parse(body))).toEqual([
      { time: '2023-11-14T22:13:20.000Z', event: 'grant.approved', client: 'tv', account: 'alice@example.com' },
      { time: '2023-11-14T22:13:20.000Z', event: 'grant.redeemed', client: 'tv' },
    ]);
  });

  it('leave out what the event does not name', async () => {
    const webhook = await startWebhook();
    const { audit } = auditTo({ webhook: { url: webhook.url } });
    audit.event('grant.redeemed', { client: 'tv', detail: 'a secret' } as never);
    await webhook.until(1);
    expect(webhook.deliveries[0]?.body).not.toContain('a secret');
  });

  it('are the signs of phishing too', async () => {
    const webhook = await startWebhook();
    const { audit } = auditTo({ webhook: { url: webhook.url } });
    audit.event('link.followed', { detail: 'evil.example' });
    audit.event('campaign.noticed', { source: '203.0.113.7' });
    await webhook.until(2);
  });

  it('are signed with the time, where the target has a secret', async () => {
    const webhook = await startWebhook();
    const { audit } = auditTo({ webhook: { url: webhook.url, secret: new Secret('shared') } });
    audit.event('grant.denied', { client: 'tv' });
    await webhook.until(1);
    const [{ headers, body } = { headers: {}, body: '' }] = webhook.deliveries;
    const v1 = createHmac('sha256', 'shared').update(`1700000000.${body}`).digest('hex');
    expect(headers['gatehouse-signature']).toBe(`t=1700000000,v1=${v1}`);
  });

  it('tell on_approval only that a device now acts as somebody', async () => {
    const webhook = await startWebhook();
    const { audit } = auditTo({ onApproval: { url: webhook.url } });
    audit.event('grant.denied', { client: 'tv' });
    audit.event('grant.approved', { client: 'tv' });
    await webhook.until(1);
    expect(webhook.deliveries.map(({ body }) => JSON.parse(body).event)).toEqual(['grant.approved']);
  });

  it('are tried again with growing pauses', async () => {
    const webhook = await startWebhook([500, 503]);
    const { audit, sleeps } = auditTo({ webhook: { url: webhook.url } });
    audit.event('grant.approved', { client: 'tv' });
    await webhook.until(1);
    expect(sleeps).toEqual([1000, 2000]);
  });

  it('are given up and said to be lost, and the next ones still go out', async () => {
    const webhook = await startWebhook([500, 500, 500, 500, 500]);
    const { audit, lost } = auditTo({ webhook: { url: webhook.url } });
    audit.event('grant.approved', { client: 'lost' });
    audit.event('grant.approved', { client: 'kept' });
    await lost;
    await webhook.until(1);
    expect(JSON.parse(webhook.deliveries[0]?.body ?? '{}').client).toBe('kept');
  });

  it('stay at home when the process only says how it fares', () => {
    const { audit, lines } = auditTo({ webhook: { url: 'http://127.0.0.1:9/' } });
    audit.event('process.stopped');
    expect(lines).toEqual(['process.stopped']);
    expect(audit.writes('grant.polled')).toBe(false);
    expect(audit.writes('grant.approved')).toBe(true);
  });
});
