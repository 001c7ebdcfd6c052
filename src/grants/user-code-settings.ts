export interface UserCodeSettings {
  /** The characters themselves, each once: upper-case ASCII letters and digits. */
  alphabet: string;
  /** The least; more when many codes are live or many wrong ones come in. */
  length: number;
  /** Characters between two dashes where a code is shown; 0 shows none. */
  group: number;
  /** The form of `verification_uri_complete`, with `{verification_uri}` and `{user_code}` still to be filled in. */
  verificationUriComplete: string;
}
