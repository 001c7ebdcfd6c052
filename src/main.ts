import { runCommand } from './cli/run-command.ts';

// The process, as an image or a unit file starts it; the same as `gatehouse start`.
process.exitCode = await runCommand(['start', ...process.argv.slice(2)]);
