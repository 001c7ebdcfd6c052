import type { ListedSession } from '../../device-sessions/list-sessions.ts';
import { carriedClaimNames } from '../../grants/decide/client-claims.ts';
import { placeWords } from '../confirm/place-words.ts';
import { scopeItem } from '../confirm/scope-words.ts';
import type { Language } from '../frame/languages.ts';
import type { PageContext } from '../frame/page-context.ts';
import type { DeviceLocals } from './devices-locals.ts';

/** One device in words. */
export function describeDevice(
  context: PageContext,
  { session, name, lastUsedAtMs, ended }: ListedSession,
  nowMs: number,
  language: Language,
): Omit<DeviceLocals, 'fields' | 'isNew' | 'isOpen'> {
  const { id, deviceLabel, source, scopes } = session;
  const registered = context.deps.clients.get(session.clientId);
  const client = registered?.name ?? session.clientId;
  const told = registered === undefined ? [] : carriedClaimNames(registered, scopes);
  const started = language.date(session.startedAtMs);
  return {
    id,
    heading: name ?? deviceLabel ?? language.t('sessions.by_date', { client, date: started }),
    isClaimed: name === undefined && deviceLabel !== undefined,
    client,
    name,
    deviceLabel,
    source,
    geoPlace: placeWords(context.deps.geo.placeOf(source), language),
    started,
    lastUsed: language.ago(nowMs - lastUsedAtMs),
    ends: language.date(session.endsAtMs),
    scopes,
    permissions: scopes.map((scope) => scopeItem(context, scope, language, told)),
    isEnded: ended !== undefined,
  };
}
