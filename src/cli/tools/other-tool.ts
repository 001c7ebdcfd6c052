import type { Environment } from '../../config/environment.ts';
import type { FileChange } from './file-change.ts';
import type { KeptPlace } from './kept-before.ts';

export interface HelperDeps {
  environment: Environment;
  /** Of the person. */
  home: string;
  /** Of this program's own files. */
  stateFolder: string;
  /** What starts this program. */
  command: readonly string[];
}

export interface HelperWish {
  profile: string;
  /** Empty for kubectl. */
  host: string;
  username: string | undefined;
  idToken: boolean;
  bin: string | undefined;
}

/** How one tool is told of us. */
export interface OtherTool {
  /** The files that change; none where all of it is there already. */
  install(wish: HelperWish, deps: HelperDeps): Promise<FileChange[]>;
  /** And back. */
  remove(wish: HelperWish, deps: HelperDeps): Promise<FileChange[]>;
  /** What the person does next. */
  next(wish: HelperWish, deps: HelperDeps): string;
}

export function placeFor({ profile, host }: HelperWish, { stateFolder }: HelperDeps): KeptPlace {
  return { folder: stateFolder, of: `${profile} ${host}` };
}
