/** The process's environment, for the commands that are told a variable's name; they read it through here alone. */
export function processEnvironment(): Readonly<Record<string, string | undefined>> {
  return process.env;
}
