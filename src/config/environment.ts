export type Environment = Readonly<Record<string, string | undefined>>;

/** The environment of this process. Nobody else reads `process.env`; whoever needs a variable is handed this. */
export function processEnvironment(): Environment {
  return process.env;
}

/** The YAML file to read: the one that was asked for, else the one that the environment names, else the usual one. */
export function configFile(asked: string | undefined, environment: Environment = processEnvironment()): string {
  return asked ?? (environment['GATEHOUSE_CONFIG'] || 'config/gatehouse.yaml');
}

/** https://no-color.org: set, and not to nothing. */
export function wantsNoColour(environment: Environment = processEnvironment()): boolean {
  return (environment['NO_COLOR'] ?? '') !== '';
}
