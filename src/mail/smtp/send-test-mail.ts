import { randomUUID } from 'node:crypto';
import { envelopeAddress } from '../address.ts';
import { composeMail } from '../compose/compose-mail.ts';
import { messageIdOf } from '../compose/headers.ts';
import type { NamedAddress } from '../compose/mail-parts.ts';
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
 * Sends a short test mail that belongs to no ticket and is not recorded. It is composed as every mail is, so
 * that a server which takes it takes the others. Does not end the session.
 * @param session as `greet` returns it
 * @param from the mailbox
 * @returns the server's reply to the mail that it accepted
 * @throws MailTestFailed when the server did not accept the mail
 */
export async function sendTestMail(session: SmtpSession, from: NamedAddress, to: string): Promise<string> {
  const mail = await composeMail({
    ...{ messageId: messageIdOf(randomUUID(), from.address), date: new Date(), autoSubmitted: true },
    ...{ from, to: [{ name: '', address: to }], cc: [], bcc: [], subject: 'Ticketwire can send from here' },
    ...{
      body: 'This mailbox was tested with `ticketwire mailbox test`. No reply is needed.',
      format: 'TEXT',
    },
    ...{ language: 'en', signature: '', quoted: [], omitted: 0, thread: [], attachments: [] },
  });
  const outcome = await session.send({
    ...mail,
    openBody: async () => true,
    async *bytes() {
      yield mail.source.skeleton;
    },
  });
  const verdict = outcome.verdicts.get(envelopeAddress(to));
  if (verdict?.state !== 'SENT') throw new MailTestFailed(verdict?.reply ?? outcome.reply);
  return verdict.reply;
}
