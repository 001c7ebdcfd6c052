import type { ChosenProfile } from '../profiles/choose-profile.ts';
import { shellWord } from '../terminal/shell-word.ts';

/** What is asked for besides the profile. */
export interface MoreToAsk {
  scopes?: readonly string[] | undefined;
  resources?: readonly string[] | undefined;
}

/** The arguments of `gatehouse login` that lead to this profile. */
export function loginArguments(
  { name, issuer, clientId, kept, unknownProject }: ChosenProfile,
  more: MoreToAsk,
): string[] {
  // A file of the folder is asked about by the sign-in itself.
  const isKnown = kept !== undefined || unknownProject !== undefined;
  return [
    ...(isKnown || issuer === undefined ? [] : ['--issuer', issuer]),
    ...(isKnown || clientId === undefined ? [] : ['--client-id', clientId]),
    ...(unknownProject === undefined || unknownProject.profile !== undefined ? ['--profile', name] : []),
    ...(more.scopes ?? []).flatMap((scope) => ['--scope', scope]),
    ...(more.resources ?? []).flatMap((resource) => ['--resource', resource]),
  ];
}

/** As a person types it. */
export function loginCommand(chosen: ChosenProfile, more: MoreToAsk): string {
  return ['gatehouse', 'login', ...loginArguments(chosen, more)].map(shellWord).join(' ');
}
