import { envelopeAddress } from '../address.ts';
import { defaultTimeouts, type SmtpServer } from './server-settings.ts';
import { SmtpSession } from './session.ts';
import { explainSmtpError, type SmtpError } from './smtp-errors.ts';

/** Milliseconds: shorter than for a mail, because a person waits. */
const timeoutMs = 15_000;
const timeouts = { ...defaultTimeouts, connect: timeoutMs, envelope: timeoutMs, final: timeoutMs };

/**
 * A mail server could not be reached, refused the credential, or did not accept the test mail. The message is
 * the fault in plain words, or the server's reply.
 */
export class MailTestFailed extends Error {}

/**
 * Opens a connection to a server and signs in, as for a mail, within 15 seconds. The caller ends the session
 * that this returns.
 * @throws MailTestFailed
 */
export async function greet(server: SmtpServer): Promise<SmtpSession> {
  const session = new SmtpSession(server, timeouts);
  try {
    await session.connect();
    return session;
  } catch (error) {
    session.close();
    throw new MailTestFailed(explainSmtpError(error as SmtpError, server.secure), { cause: error });
  }
}

/**
 * Sends a short test mail that belongs to no ticket and is not recorded. Does not end the session.
 * @param session as `greet` returns it
 * @param from the mailbox's address
 * @returns the server's reply to the mail that it accepted
 * @throws MailTestFailed when the server did not accept the mail
 */
export async function sendTestMail(session: SmtpSession, from: string, to: string): Promise<string> {
  const text = [
    ...[`From: <${from}>`, `To: <${to}>`, 'Subject: Ticketwire can send from here'],
    ...[`Date: ${new Date().toUTCString().replace('GMT', '+0000')}`, 'MIME-Version: 1.0'],
    ...['Auto-Submitted: auto-generated', 'Content-Type: text/plain; charset=utf-8', ''],
    ...['This mailbox was tested with `ticketwire mailbox test`. No reply is needed.', ''],
  ].join('\r\n');
  const recipient = envelopeAddress(to);
  const bytes = Buffer.from(text);
  const outcome = await session.send({
    envelope: { from: envelopeAddress(from), to: [recipient] },
    byteSize: bytes.length,
    hasUtf8Headers: /[^\x20-\x7e\r\n]/.test(text),
    openBody: async () => true,
    async *bytes() {
      yield bytes;
    },
  });
  const verdict = outcome.verdicts.get(recipient);
  if (verdict?.state !== 'SENT') throw new MailTestFailed(verdict?.reply ?? outcome.reply);
  return verdict.reply;
}
