export { signInAtEmbeddedUpstream } from '../../../demo/embedded-person.ts';
export {
  EMBEDDED_USERS,
  type EmbeddedUpstream,
  type EmbeddedUpstreamOptions,
  startEmbeddedUpstream,
} from '../../../demo/embedded-upstream.ts';
