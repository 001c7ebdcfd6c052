#!/usr/bin/env node
/**
 * The command line. One file per command, each with `run(argv)` that answers the exit code; what a command does to
 * grants, keys or sessions is in the folder of that name.
 */
import { runCommand } from './run-command.ts';

// `gatehouse sessions list | head` closes our output before its end: no fault of ours, and the command goes on.
process.stdout.on('error', (error: NodeJS.ErrnoException) => {
  if (error.code !== 'EPIPE') throw error;
});

process.exitCode = await runCommand(process.argv.slice(2));
