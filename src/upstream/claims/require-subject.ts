import { OtherSubjectError, type RefreshFor } from '../upstream.ts';

/** OpenID Connect Core §12.2: what is refreshed stays about the same person. */
export function requireSubject(session: RefreshFor | undefined, found: unknown): void {
  if (session !== undefined && found !== undefined && found !== session.subject) {
    throw new OtherSubjectError('refresh: the answer is about another subject');
  }
}
