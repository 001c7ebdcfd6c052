import { processEnvironment } from '../../config/environment.ts';
import { type AnswerInput, askYes } from '../admin/ask.ts';
import { complain } from '../complain.ts';
import { EXIT } from '../exit-codes.ts';
import { assertChosen, chooseProfile } from '../profiles/choose-profile.ts';
import { profileFiles } from '../profiles/profile-files.ts';
import { stateFolder } from '../profiles/state-folder.ts';
import { readArguments, tooMuch, UsageError } from '../read-arguments.ts';
import { HELPED, helperTable } from '../tables/daily/helper-table.ts';
import { dockerTool } from './docker-tool.ts';
import { makeChange, shownChange } from './file-change.ts';
import { gitTool } from './git-tool.ts';
import { forgetBefore, keepBefore } from './kept-before.ts';
import { kubectlTool } from './kubectl-tool.ts';
import { type HelperDeps, type HelperWish, type OtherTool, placeFor } from './other-tool.ts';
import { ownCommand } from './own-command.ts';

const TOOLS: Readonly<Record<(typeof HELPED)[number], OtherTool>> = {
  kubectl: kubectlTool,
  git: gitTool,
  docker: dockerTool,
};
/** It stands in other programs' files, between their quotes and brackets. */
const HOST = /^([a-z0-9]([a-z0-9.-]*[a-z0-9])?|\[[0-9a-f:]+\])(:\d{1,5})?$/;
const USERNAME = /^[\w.@+-]{1,64}$/;

/** `gatehouse helper install|remove TOOL`; shows, asks, writes. Answers the exit code. */
export async function run(argv: readonly string[], input: AnswerInput = process.stdin): Promise<number> {
  const { values, verb, operands } = readArguments(helperTable, argv);
  const [tool = '', ...more] = operands;
  if (more.length > 0) throw new UsageError(tooMuch(more[0]));
  const name = HELPED.find((known) => known === tool);
  if (name === undefined) throw new UsageError(`say ${verb} ${HELPED.join(' or ')}`);
  const { environment, deps } = surroundings();
  const chosen = await chooseProfile(values, {
    files: profileFiles(deps.stateFolder),
    environment,
    folder: process.cwd(),
  });
  assertChosen(chosen, profileFiles(deps.stateFolder));
  const wish: HelperWish = {
    profile: chosen.name,
    host: hostFor(name, values.for),
    username: values.username,
    idToken: values['id-token'] === true,
    bin: values.bin,
  };
  if (wish.username !== undefined && !USERNAME.test(wish.username)) {
    throw new UsageError('--username: letters, digits and . _ @ + - alone');
  }
  return change(TOOLS[name], verb, wish, deps, { input, isYes: values.yes === true });
}

async function change(
  tool: OtherTool,
  verb: 'install' | 'remove',
  wish: HelperWish,
  deps: HelperDeps,
  { input, isYes }: { input: AnswerInput; isYes: boolean },
): Promise<number> {
  try {
    const changes = verb === 'install' ? await tool.install(wish, deps) : await tool.remove(wish, deps);
    if (changes.length === 0) {
      process.stderr.write(verb === 'install' ? 'All of it is there already.\n' : 'Nothing of it is there.\n');
      return EXIT.done;
    }
    process.stderr.write(`${changes.flatMap(shownChange).join('\n')}\n`);
    if (!isYes && input.isTTY !== true) throw new UsageError('nobody is at a terminal to be asked: say --yes');
    if (!isYes && !(await askYes(input, 'Write this?'))) {
      process.stderr.write('Nothing was changed.\n');
      return EXIT.failed;
    }
    for (const one of changes) {
      if (verb === 'install') await keepBefore(placeFor(wish, deps), one);
      await makeChange(one);
      if (verb === 'remove') forgetBefore(placeFor(wish, deps), one.path);
    }
    if (verb === 'install') process.stderr.write(`${tool.next(wish, deps)}\n`);
    return EXIT.done;
  } catch (error) {
    if (error instanceof UsageError) throw error;
    complain('helper', (error as Error).message);
    return EXIT.failed;
  }
}

function surroundings() {
  const environment = processEnvironment();
  const home = environment['HOME'] || environment['USERPROFILE'];
  if (home === undefined) throw new UsageError('HOME is not set: it has the configuration of these tools');
  const deps = { environment, home, stateFolder: stateFolder(environment), command: ownCommand(environment) };
  return { environment, deps };
}

function hostFor(tool: string, host: string | undefined): string {
  if (tool === 'kubectl') {
    if (host !== undefined) throw new UsageError('--for is for git and docker; a cluster is in the kubeconfig');
    return '';
  }
  const name = host?.toLowerCase();
  if (name === undefined) throw new UsageError(`${tool} needs --for HOST: nobody else gets the token`);
  if (!HOST.test(name)) throw new UsageError(`--for: ${host} is no host, such as git.example.com or 127.0.0.1:5000`);
  return name;
}
