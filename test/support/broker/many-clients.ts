/** Clients as an installation of ten thousand of them has: each with a few keys of its own. */
export function manyClients(count: number, interval = '5s'): string {
  const clients = Array.from({ length: count }, (_, n) =>
    [
      `  client-${n}:`,
      `    name: Client ${n}`,
      `    interval: ${interval}`,
      '    scopes: { allowed: [openid, profile, "packages:read"], default: [openid] }',
      `    resources: [https://packages-${n % 50}.example.com]`,
      `    approvers: { groups: [team-${n % 97}] }`,
    ].join('\n'),
  );
  return `clients:\n${clients.join('\n')}\n`;
}
