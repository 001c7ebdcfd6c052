// Told by the environment, says JSON lines: the verifier of docs/resource-servers.md, asked once.
import { verifyAccessToken } from './verify.mjs';

try {
  const { sub } = await verifyAccessToken(process.env.TOKEN);
  console.log(JSON.stringify({ taken: sub }));
} catch (error) {
  console.log(JSON.stringify({ refused: String(error) }));
  process.exitCode = 1;
}
