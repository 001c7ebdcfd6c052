import type { CommandTable } from './command-table.ts';

export const initTable = {
  summary: 'write a first configuration, by a few questions or by options',
  usage: ['[OPTIONS]'],
  about: [
    'Reads what your OpenID provider publishes, writes a short configuration that gatehouse check passes, makes the keys, ' +
      'and says what to register at the provider and which commands come next. What an option does not say is asked on a ' +
      'terminal. Nothing that is there already is written over.',
  ],
  options: {
    'public-url': { value: 'URL', about: 'where people and devices reach Gatehouse; default: http://127.0.0.1:8080' },
    issuer: { value: 'URL', about: 'the issuer of your OpenID provider; the address of its metadata does as well' },
    'client-id': { value: 'ID', about: 'of the client that stands for Gatehouse at the provider' },
    'client-secret-file': { value: 'FILE', about: 'that has the secret of this client and nothing else' },
    'client-secret-env': { value: 'NAME', about: 'the environment variable that has it' },
    'public-client': { about: 'this client has no secret' },
    upstream: { value: 'ID', about: 'what the provider is called in addresses and tokens; default: corp' },
    'display-name': { value: 'NAME', about: 'what people read of it; default: its host' },
    ca: {
      value: 'FILE',
      about: 'certificates that vouch for the provider, where the system does not know its authority',
    },
    proxy: { value: 'URL', about: 'the proxy over which the provider is reached' },
    client: { value: 'ID', about: 'the first client that may ask for codes; default: cli' },
    'client-name': { value: 'NAME', about: 'what people read of it; default: Command line' },
    redis: {
      value: 'URL',
      about: 'redis://host:port/db; without it sign-ins are kept in memory, and lost at a restart',
    },
    config: { value: 'FILE', about: 'what to write; default: $GATEHOUSE_CONFIG, else config/gatehouse.yaml' },
    yes: { about: 'ask nothing; so it is where there is no terminal' },
  },
  notes: [
    'In a script: gatehouse init --yes --issuer https://sso.example.com/realms/corp --client-id gatehouse --client-secret-file corp.secret',
  ],
  exits: [
    [0, 'written'],
    [1, 'nothing was written'],
    [130, 'Ctrl-C'],
  ],
} as const satisfies CommandTable;
