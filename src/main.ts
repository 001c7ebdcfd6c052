import { run } from './cli/start.ts';

// The process, as an image or a unit file starts it; the same as `gatehouse start`.
process.exitCode = await run(process.argv.slice(2));
