#!/usr/bin/env node
/**
 * The command line. One file per command, each with `run(argv)` that answers the exit code; what a command does to
 * grants, keys or sessions is in the folder of that name.
 */
import { runCommand } from './run-command.ts';

process.exitCode = await runCommand(process.argv.slice(2));
