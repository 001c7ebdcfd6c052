/** The ways in which an upstream can be asked to let somebody else sign in, the plainer one first. */
const OTHER_ACCOUNT = ['select_account', 'login'];

/**
 * The prompt to send where one was wished for, so that another account can be used. An upstream that lists its prompts
 * (OpenID Connect Prompt Create §3) refuses one that is not among them, or signs the same account in again.
 *
 * @param listed `prompt_values_supported`
 */
export function offeredPrompt(wished: string | undefined, listed: unknown): string | undefined {
  if (wished === undefined || !OTHER_ACCOUNT.includes(wished)) return wished;
  if (!Array.isArray(listed) || listed.includes(wished)) return wished;
  return OTHER_ACCOUNT.find((prompt) => listed.includes(prompt));
}

export function offersOtherAccount(listed: unknown): boolean {
  return offeredPrompt('select_account', listed) !== undefined;
}
