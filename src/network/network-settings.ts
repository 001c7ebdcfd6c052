/** A network that the administrator has given a name: people read it, and limits multiply by its factor. */
export interface NetworkSettings {
  id: string;
  name: string;
  cidrs: readonly string[];
  /** At least 1: what the limits of a source are multiplied by. */
  factor: number;
}
