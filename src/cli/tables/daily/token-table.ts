import type { CommandTable } from '../command-table.ts';
import { profileRows } from './profile-rows.ts';

export const TOKEN_FORMATS = ['raw', 'json', 'header', 'env', 'kubectl', 'git', 'docker', 'aws'] as const;

/** What git and docker say to a helper of theirs. */
export const HELPER_ACTIONS = ['get', 'store', 'erase', 'list'] as const;

export const tokenTable = {
  summary: 'print a token that is good now, for other programs',
  usage: ['[--profile NAME] [--format FORM] [OPTIONS]', '--format git|docker --for HOST [OPTIONS] ACTION'],
  about: [
    'Prints an access token that is still good for a while: the kept one, else one by refresh, else, on a terminal, after a ' +
      'sign-in. Any number may run at once; one of them refreshes. Only the token goes to stdout.',
  ],
  operand: { name: 'ACTION', choices: HELPER_ACTIONS },
  options: {
    ...profileRows,
    scope: { value: 'SCOPE', isRepeated: true, about: 'fewer scopes than the sign-in got; may be repeated' },
    resource: { value: 'URI', isRepeated: true, about: 'what the token is for (RFC 8707); may be repeated' },
    format: {
      value: 'FORM',
      choices: TOKEN_FORMATS,
      about:
        'raw (default); json; header, for curl -H; env, for eval in a shell; kubectl, git, docker and aws, as these ask ' +
        'their helpers (gatehouse helper writes that into their configuration)',
    },
    'min-valid': { value: 'TIME', about: 'how long it must still be good: 90s, 10m; default: 60s' },
    'id-token': { about: 'the ID token in place of the access token' },
    'env-name': { value: 'NAME', about: 'the variable that --format env sets; default: GATEHOUSE_TOKEN' },
    for: {
      value: 'HOST',
      isRepeated: true,
      about: 'git, docker: the only servers that get the token; may be repeated',
    },
    username: { value: 'NAME', about: 'git, docker: what stands before the token; default: oauth2' },
    'role-arn': { value: 'ARN', about: 'aws: the role that STS is asked for, by the token' },
    'sts-url': { value: 'URL', about: 'aws: default: $AWS_ENDPOINT_URL_STS, else by $AWS_REGION' },
    'no-login': { about: 'no sign-in, also on a terminal' },
  },
  notes: [
    'Where several profiles are kept, one is meant by --profile, --issuer and --client-id, $GATEHOUSE_PROFILE, $GATEHOUSE_ISSUER ' +
      'and $GATEHOUSE_CLIENT_ID, or a gatehouse-profile.yaml in this folder or one above.',
  ],
  exits: [
    [0, 'printed'],
    [1, 'error'],
    [3, 'the sign-in was denied'],
    [4, 'a person must sign in: stderr has the command'],
    [69, 'the server is away or busy'],
    [130, 'Ctrl-C'],
  ],
} as const satisfies CommandTable;
