import { existsSync } from 'node:fs';
import { isAbsolute, join } from 'node:path';

export type Environment = Readonly<Record<string, string | undefined>>;

/** The environment of this process. Nobody else reads `process.env`; whoever needs a variable is handed this. */
export function processEnvironment(): Environment {
  return process.env;
}

/**
 * The YAML file to read: the one that was asked for, else the one that the environment names, else the first of the
 * usual ones that is there, else the first of them, so that there is one to name.
 */
export function configFile(asked: string | undefined, environment: Environment = processEnvironment()): string {
  const usual = usualConfigFiles(environment);
  return asked ?? (environment['GATEHOUSE_CONFIG'] || (usual.find((file) => existsSync(file)) ?? usual[0]));
}

/** Where a first one is written: where it was asked for, else where it is looked for first. */
export function newConfigFile(asked: string | undefined, environment: Environment = processEnvironment()): string {
  return asked ?? (environment['GATEHOUSE_CONFIG'] || usualConfigFiles(environment)[0]);
}

/** What a command's help says of its option. */
export const CONFIG_OPTION =
  'default: $GATEHOUSE_CONFIG, else gatehouse.yaml in config/, ~/.config/gatehouse/ or /etc/gatehouse/';

/** In the folder where one stands, of the person, of the machine. */
export function usualConfigFiles(environment: Environment): [string, ...string[]] {
  const { XDG_CONFIG_HOME: stated = '', HOME: home = '' } = environment;
  // XDG Base Directory: a relative path there is to be ignored.
  const folder = isAbsolute(stated) ? stated : isAbsolute(home) ? join(home, '.config') : undefined;
  const own = folder === undefined ? [] : [join(folder, 'gatehouse/gatehouse.yaml')];
  return ['config/gatehouse.yaml', ...own, '/etc/gatehouse/gatehouse.yaml'];
}

/**
 * The file descriptor of the socket that systemd handed to the process `pid` (sd_listen_fds): the first is 3, and the variables
 * are for the process that they name alone.
 */
export function handedOverSocket(pid: number, environment: Environment = processEnvironment()): number | undefined {
  const { LISTEN_PID: named, LISTEN_FDS: sockets } = environment;
  return Number(named) === pid && Number(sockets) >= 1 ? 3 : undefined;
}

/** https://no-color.org: set, and not to nothing. */
export function wantsNoColour(environment: Environment = processEnvironment()): boolean {
  return (environment['NO_COLOR'] ?? '') !== '';
}
