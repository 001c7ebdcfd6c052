export interface EmbeddedUser {
  subject: string;
  name: string;
  email: string;
  groups: readonly string[];
}
