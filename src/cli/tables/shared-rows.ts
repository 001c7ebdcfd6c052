import { CONFIG_OPTION } from '../../config/environment.ts';

export const configRow = { value: 'FILE', about: `the configuration; ${CONFIG_OPTION}` } as const;

/** Which sessions are meant. */
export const sessionFilterRows = {
  client: { value: 'ID', about: 'of this client' },
  upstream: { value: 'ID', about: 'of people of this upstream' },
  subject: {
    value: 'SUB',
    about: 'of this person there (with --upstream), or upstream|SUB as tokens and lists have it',
  },
  account: { value: 'NAME', about: 'of whoever was shown as this account, such as an e-mail address' },
  session: { value: 'ID', about: 'this one; the eight characters that the log has do' },
  device: { value: 'NAME', about: 'called this by the person or by the device' },
  source: { value: 'CIDR', about: 'started from these addresses' },
  before: {
    value: 'TIME',
    about: 'before this moment (RFC 3339, or how long ago: 90s, 10m, 12h, 30d); default: now',
  },
  all: { about: 'of everybody' },
  json: { about: 'for programs' },
  config: configRow,
} as const;
