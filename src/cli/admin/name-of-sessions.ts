import type { AdminContext } from './admin-context.ts';
import type { SessionFilter } from './session-filter.ts';

/** Whether the configuration has what is named; a network and everybody need no name. */
export function isConfigured({ config }: AdminContext, filter: SessionFilter): boolean {
  const { client, upstream, subject, account, session, device } = filter;
  if ([subject, account, session, device].some((name) => name !== undefined)) return false;
  if (client !== undefined && !config.clients.some(({ id }) => id === client)) return false;
  return upstream === undefined || config.upstreams.some(({ id }) => id === upstream);
}

/** What to say where nothing is called as it was typed. */
export function unknownName(filter: SessionFilter): string {
  const { client, upstream, subject, account, session, device } = filter;
  const named = Object.entries({ client, upstream, subject, account, session, device }).flatMap(([option, name]) =>
    name === undefined ? [] : [`--${option} ${JSON.stringify(name)}`],
  );
  const advice = [`\`gatehouse sessions list\` shows what there is`];
  if (subject?.includes('@')) advice.push('--account takes an e-mail address');
  if (client !== undefined || upstream !== undefined) advice.push('`gatehouse check` lists clients and upstreams');
  return `no device session is of ${named.join(' ')}: ${advice.join('; ')}`;
}
