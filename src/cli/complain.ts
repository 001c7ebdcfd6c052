/** One layout for whatever goes wrong in a command: which one, and what to do next. On stderr; stdout is for the answer. */
export function complain(command: string, problem: string): void {
  process.stderr.write(`${command === '' ? 'gatehouse' : `gatehouse ${command}`}: ${problem}\n`);
}

/** The same for arguments that cannot be meant. */
export function complainOfUsage(command: string, problem: string): void {
  complain(command, `${problem}\ngatehouse ${command === '' ? '' : `${command} `}--help says what is possible.`);
}
