import { describe, expect, it } from 'vitest';
import { Secret } from '../../../src/sealing/secret.ts';
import type { LogDestination } from '../../../src/telemetry/log-destination.ts';
import { createLogger } from '../../../src/telemetry/logger.ts';

function memoryDestination(): LogDestination & { lines: Record<string, unknown>[]; text: () => string } {
  const written: string[] = [];
  return {
    write: (line) => void written.push(line),
    flush: () => Promise.resolve(),
    linesLost: () => 0,
    text: () => written.join(''),
    get lines() {
      return written.map((line) => JSON.parse(line) as Record<string, unknown>);
    },
  };
}

describe('a log line', () => {
  it('is one line of JSON with time, level, event and fields', () => {
    const destination = memoryDestination();
    createLogger({ level: 'info' }, destination).event('grant.approved', { client: 'build-cli', requestId: 'r\n1' });
    expect(destination.text().split('\n')).toHaveLength(2);
    const { time, ...line } = destination.lines[0] ?? {};
    expect(line).toEqual({ level: 'info', event: 'grant.approved', client: 'build-cli', requestId: 'r\n1' });
    expect(time).toMatch(/^\d{4}-\d\d-\d\dT[\d:.]+Z$/);
  });

  it('has no field that the table does not name', () => {
    const destination = memoryDestination();
    const fields = { client: 'build-cli', device_code: 'in passing' };
    createLogger({ level: 'trace' }, destination).event('grant.polled', fields);
    expect(destination.text()).not.toContain('in passing');
  });

  it('holds no secret, wherever one is put', () => {
    const destination = memoryDestination();
    const logger = createLogger({ level: 'trace' }, destination);
    const secret = new Secret('s3cret');
    const error = Object.assign(new Error('refused', { cause: new Error('below') }), {
      response: { body: 's3cret' },
      code: 'E_REFUSED',
    });
    logger.event('request.failed', { error });
    logger.event('grant.started', { client: secret, scopes: ['openid', secret], source: { body: 's3cret' } });
    logger.event('process.started', { publicUrl: new URL('https://user:s3cret@example.com/a?token=s3cret') });
    expect(destination.text()).not.toContain('s3cret');
    expect(destination.lines[0]?.['error']).toMatchObject({
      name: 'Error',
      message: 'refused',
      code: 'E_REFUSED',
      cause: { message: 'below' },
    });
    expect(destination.lines[1]).toMatchObject({ client: '[redacted]', scopes: ['openid', '[redacted]'] });
  });

  it('is bounded', () => {
    const destination = memoryDestination();
    const many = Array.from({ length: 10_000 }, () => 'x'.repeat(10_000));
    createLogger({ level: 'info' }, destination).event('grant.started', { scopes: many, client: 'x'.repeat(1e6) });
    expect(destination.text().length).toBeLessThan(60_000);
  });

  it('is a warning where its fields make it one, also where the level is too high for the rest', () => {
    const destination = memoryDestination();
    const logger = createLogger({ level: 'warn' }, destination);
    for (const by of ['person', 'reuse', 'replay', 'client']) logger.event('session.ended', { by });
    expect(destination.lines).toMatchObject([
      { level: 'warn', by: 'reuse' },
      { level: 'warn', by: 'replay' },
    ]);
  });

  it('has room of its own where somebody decided, and none where anybody can cause it', () => {
    const reserved: string[] = [];
    const destination: LogDestination = {
      write: (line, isReserved) => void (isReserved === true && reserved.push(JSON.parse(line).event)),
      flush: () => Promise.resolve(),
      linesLost: () => 0,
    };
    const logger = createLogger({ level: 'trace' }, destination);
    for (const event of ['grant.approved', 'session.ended', 'config.reloaded', 'session.refreshed'] as const) {
      logger.event(event);
    }
    for (const event of ['page.refused', 'client.refused', 'grant.started', 'process.started'] as const) {
      logger.event(event);
    }
    expect(reserved).toEqual(['grant.approved', 'session.ended', 'config.reloaded', 'session.refreshed']);
  });

  it('is written from its level on, which a reload may change', () => {
    const destination = memoryDestination();
    const logger = createLogger({ level: 'info' }, destination);
    logger.event('grant.polled', { client: 'build-cli' });
    expect(logger.writes('grant.polled')).toBe(false);
    logger.setLevel('trace');
    logger.event('grant.polled', { client: 'build-cli' });
    expect(logger.writes('grant.polled')).toBe(true);
    expect(destination.lines).toHaveLength(1);
  });
});
