import { playPerson } from './person.ts';

/**
 * The command of `gatehouse conformance --approve-with`, for whichever server's pages. Who says yes is another person than
 * who says no: some servers remember a yes, and ask no more.
 */
const { VERIFICATION_URI = '', USER_CODE = '', ACTION = '', APPROVER = 'alice', DENIER = 'bob' } = process.env;
const deniesUpstream = ACTION === 'deny';
const page = await playPerson({
  ...{ verificationUri: VERIFICATION_URI, userCode: USER_CODE, user: deniesUpstream ? DENIER : APPROVER },
  ...{ decision: deniesUpstream ? 'deny' : 'approve', deniesUpstream },
});
// A server may well tell who said no that something was refused.
process.exitCode = deniesUpstream || page.status < 400 ? 0 : 1;
// A connection that is kept must not keep the command.
setTimeout(() => process.exit(), 200).unref();
