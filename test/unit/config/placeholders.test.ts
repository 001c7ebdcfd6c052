import { describe, expect, it } from 'vitest';
import { leastFile, MARK, problemsOf, read, unmarked } from './written.ts';

describe('a placeholder that nobody filled in', () => {
  it.each([
    [
      'a shell’s variable',
      { client: `resources: [${MARK}"https://\${HOST}/x"]` },
      'clients.cli.resources[0]',
      `\${HOST}`,
    ],
    [
      'a variable in a name',
      { client: `signing_alg: RS256\napprovers: { groups: [${MARK}"\${GROUP}"] }` },
      'clients.cli.approvers.groups[0]',
      `\${GROUP}`,
    ],
    [
      'GitHub’s form',
      { client: `approvers: { groups: [${MARK}"\${{ vars.GROUP }}"] }` },
      'clients.cli.approvers.groups[0]',
      '{{ vars.GROUP }}',
    ],
    [
      'Kubernetes’ form',
      { client: `approvers: { groups: [${MARK}$(GROUP)] }` },
      'clients.cli.approvers.groups[0]',
      '$(GROUP)',
    ],
    [
      'a template’s, in quotes',
      { client: `approvers: { groups: [${MARK}"{{ .Values.group }}"] }` },
      'clients.cli.approvers.groups[0]',
      '{{ .Values.group }}',
    ],
    [
      'Entra’s document',
      { issuer: `${MARK}https://login.microsoftonline.com/{tenantid}/v2.0` },
      'upstreams.corp.issuer',
      '{tenantid}',
    ],
    [
      'somebody’s instructions',
      { issuer: `${MARK}https://sso.example.com/<your-tenant>/v2.0` },
      'upstreams.corp.issuer',
      '<your-tenant>',
    ],
    [
      'Windows’ form',
      { client: `approvers: { groups: [${MARK}"%TEAM_NAME%"] }` },
      'clients.cli.approvers.groups[0]',
      '%TEAM_NAME%',
    ],
    [
      'a release tool’s',
      { client: `approvers: { groups: [${MARK}"#{team}"] }` },
      'clients.cli.approvers.groups[0]',
      '#{team}',
    ],
    [
      'the name of a scope',
      { top: `scopes: { ${MARK}"\${SCOPE}": { description: x } }` },
      `scopes.\${SCOPE}`,
      `\${SCOPE}`,
    ],
  ])('is refused where it stands: %s', (_, lines, key, found) => {
    const { text, line, column } = unmarked(leastFile(lines));
    const problems = problemsOf(text);
    expect(problems).toHaveLength(1);
    expect(problems[0]).toMatchObject({ line, column, key });
    expect(problems[0]?.text).toMatch(/^found .* which nothing here fills in, expected the value itself/);
    expect(problems[0]?.text).toContain(found);
  });

  it('is told as that, and not as what the key makes of it', () => {
    expect(problemsOf(leastFile({ url: `"\${PUBLIC_URL}"` })).map(({ text }) => text)).toEqual([
      expect.stringMatching(/^found "\$\{PUBLIC_URL\}", which nothing here fills in/),
    ]);
  });

  it('is found where YAML takes it for sections within sections', () => {
    const { text, line, column } = unmarked(leastFile({ url: `{${MARK}{ .Values.url }}` }));
    expect(problemsOf(text)).toEqual([
      expect.objectContaining({ line, column, text: expect.stringMatching(/\{\{ … \}\} is a placeholder/) }),
    ]);
  });

  it.each([
    [
      'the form of a complete verification URI',
      { top: 'user_codes: { verification_uri_complete: "{verification_uri}?code={user_code}" }' },
    ],
    ['an identifier in braces', { client: 'approvers: { groups: ["{6F9619FF-8B86-D011-B42D-00CF4FC964FF}"] }' }],
    [
      'JSON for the provider',
      { upstream: `authorization_parameters: { claims: '{"id_token":{"acr":{"essential":true}}}' }` },
    ],
    ['a sentence with angles', { top: 'pages: { support: "Questions? Write to <it> in the chat" }' }],
    ['an address in angles', { top: 'pages: { support: "<it@example.com>" }' }],
    ['a picture', { top: `pages: { logo: 'data:image/svg+xml,<svg>{a}</svg>' }` }],
    ['escapes of an address', { client: 'resources: [https://x.example/%C3%84_%C3%84]' }],
    ['a dollar', { client: 'approvers: { groups: ["$team", "a{1}", "}{"] }' }],
  ])('is not seen in %s', (_, lines) => {
    expect(() => read(leastFile(lines))).not.toThrow();
  });
});
