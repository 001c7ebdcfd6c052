import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { expect, it } from 'vitest';
import { openApiDocument } from '../../../src/operations/admin/openapi.ts';
import { serveOperations } from '../../support/broker/served-operations.ts';
import { createTestBroker } from '../../support/broker/test-broker.ts';

it('the page about the admin API has the calls of the OpenAPI document, in its words', async () => {
  const page = readFileSync(join(import.meta.dirname, '../../../docs/operations/admin-api.md'), 'utf8');
  const written = [...page.matchAll(/^\| `(GET|POST) (\/admin\/\S+)` \| (.*) \|$/gm)].map(([, ...row]) =>
    row.join(' '),
  );
  const environment = { ADMIN_TOKEN: 'wZ7-kQ2pXn8rT4vB' };
  const yaml = { operations: { port: 0, admin: { token: { env: 'ADMIN_TOKEN' } } } };
  const test = await createTestBroker({ environment, yaml });
  const admin = await serveOperations(test, environment.ADMIN_TOKEN);
  const { body } = await admin.ask('/admin/openapi.json');
  await admin.close();
  await test.close();
  const listed = Object.entries(body.paths).flatMap(([path, methods]) =>
    Object.entries(methods).map(([method, { summary }]) => `${method.toUpperCase()} ${path} ${summary}`),
  );
  expect(new Set(written)).toEqual(new Set(listed));
  expect(openApiDocument([], '1')['paths']).toEqual({});
});
