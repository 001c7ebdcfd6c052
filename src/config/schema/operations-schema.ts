import { secret } from './secret-schemas.ts';
import { upstreamId } from './upstream-schema.ts';
import { expects, list, pattern, section, text, wholeNumber } from './value-schemas.ts';

export const host = () => pattern(/^[A-Za-z0-9.:_-]{1,255}$/, 'a host name or an IP address');
export const port = () => wholeNumber(0, 65535);

export const operationsSchema = section({
  host: host().prefault('127.0.0.1').describe('GATEHOUSE_OPERATIONS_HOST wins'),
  port: port().prefault(9090).describe('0 takes any free port'),
  admin: section({
    token: secret().optional().describe('Whoever has it may ask; or upstream and groups'),
    upstream: upstreamId().optional().describe('Whose access or ID tokens are taken'),
    groups: list(text('a group'), 'groups')
      .min(1, { error: expects('at least one group') })
      .optional()
      .describe('With upstream: whoever is in one of them may ask; claims.groups of the upstream says where they are'),
    audience: text('a client id or another name', { longest: 255 })
      .prefault('gatehouse-admin')
      .describe('With upstream: what a token must be for, and for nothing else'),
  })
    .optional()
    .describe('The API for help desks; off without it'),
})
  .optional()
  .describe('A listener of its own for health, metrics, status and the admin API; leave out to switch off');
