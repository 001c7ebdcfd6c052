import type { ApproverCondition, RegisteredClient } from '../../clients/registered-client.ts';

/** The people who may approve for a client, in words: one line for each condition, all of which must hold. None: anybody may. */
export function describeApprovers({ approvers }: Pick<RegisteredClient, 'approvers'>): string[] {
  const { upstreams, subjects, groups, denyGroups = [], require = [] } = approvers;
  return [
    ...(upstreams === undefined ? [] : [`the person signed in at ${either(upstreams)}`]),
    ...(subjects === undefined ? [] : [`the subject is ${either(subjects)}`]),
    ...(groups === undefined ? [] : [`the person is in the group ${either(groups)}`]),
    ...(denyGroups.length === 0 ? [] : [`the person is in no group called ${either(denyGroups)}`]),
    ...require.map(inWords),
  ];
}

function inWords({ claim, holds, values }: ApproverCondition): string {
  switch (holds) {
    case 'any_of':
      return `the claim ${claim} is, or has among its values, ${either(values)}`;
    case 'is':
      return `the claim ${claim} is ${either(values)}`;
    case 'matches_domain':
      return `the claim ${claim} is an e-mail address in ${either(values)}`;
  }
}

function either(values: readonly string[]): string {
  return values.length < 2 ? values.join() : `${values.slice(0, -1).join(', ')} or ${values.at(-1)}`;
}
