/** Which sign-in is meant. The same in each command that uses a kept one. */
export const profileRows = {
  profile: { value: 'NAME', about: 'the kept sign-in; default: $GATEHOUSE_PROFILE, else by issuer and client' },
  issuer: { value: 'URL', about: "the server's issuer; https, or http on this machine; default: $GATEHOUSE_ISSUER" },
  'client-id': { value: 'ID', about: 'the client that is registered there; default: $GATEHOUSE_CLIENT_ID' },
} as const;
