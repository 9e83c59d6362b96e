import type { Envelope } from '../compose/compose-mail.ts';
import { type AttemptOutcome, attemptOutcome, cleanReply, verdictOf } from './outcome.ts';
import type { SmtpServer } from './server-settings.ts';

/** An error of nodemailer, or of `SmtpSession`, which has the message alone. */
export interface SmtpError extends Error {
  /** Nodemailer's code: `EAUTH`, `ETLS`, `EDNS`, `ECONNECTION` and so on. */
  code?: string | undefined;
  /** Code of the underlying error of the system or OpenSSL. */
  originalCode?: string | undefined;
  /** The server's reply. */
  response?: string | undefined;
  /** The reply's status: 550. */
  responseCode?: number | undefined;
  /** The recipient that the server refused. */
  recipient?: string | undefined;
  /** One for each recipient, if the server took the sender and refused them all. */
  rejectedErrors?: SmtpError[] | undefined;
}

/** Whether a server refused something for good or for now, by a reply of 400 or more. */
export const isRefusal = ({ responseCode = 0 }: SmtpError): boolean => responseCode >= 400;

/** The attempt may not send a byte: its fence failed. The message says why, in plain words. */
export class Fenced extends Error {}
/** A fault whose message is in plain words and is stored as it is. */
export class PlainFault extends Error {}

/**
 * How the replies in the ledger begin when the gateway itself is at fault, not the server. The explanation of
 * a failure recognises them by these words.
 */
export const gatewayFaults = {
  uncomposable: 'The mail could not be composed',
  unreadableMail: 'The mail could not be read from the database',
  unreadableFile: 'An attachment could not be read',
};

/**
 * The outcome of a failed `SmtpSession.connect`, the same for all recipients. FAILED if the server refused
 * the connection with 5xx. A refusal with 4xx, one of the sign-in or of TLS, and any other fault, is
 * DEFERRED, with `serverDown`.
 */
export function failedToConnect(error: unknown, { secure }: SmtpServer, envelope: Envelope): AttemptOutcome {
  const words = explainSmtpError(error as SmtpError, secure);
  const verdict = verdictOf(words);
  return attemptOutcome('CONNECT', words, { envelope }, () => verdict, verdict.state !== 'FAILED');
}

/**
 * Describes an error for operators: by the server's reply if that is a refusal, else in a sentence without a
 * full stop that quotes any reply. A refused sign-in or STARTTLS is such a sentence too, because it is a
 * fault of the mailbox's settings, and the mail is retried.
 * @param secure whether the connection began with TLS
 */
export function explainSmtpError(error: SmtpError, secure: boolean): string {
  if (isRefusal(error) && error.code !== 'EAUTH' && error.code !== 'ETLS') return cleanReply(error.response!);
  const reply = error.response === undefined ? '' : ` (${cleanReply(error.response)})`;
  const isNoTls = /WRONG_VERSION_NUMBER/.test(error.originalCode ?? '');
  if ((isNoTls && !secure) || (error.code === 'ETLS' && reply !== ''))
    return `The mail server does not begin TLS after STARTTLS${reply}`;
  if (isNoTls) return 'The mail server does not begin with TLS on this port, as smtps:// does: use smtp://';
  if (/CERT|SELF_SIGNED|ALTNAME|^ERR_(?:SSL|TLS)|EPROTO/.test(error.originalCode ?? ''))
    return `The mail server's TLS cannot be trusted: ${cleanReply(error.message)}`;
  switch (error.code) {
    case 'EAUTH':
      return `The mail server does not accept the mailbox's login${reply}`;
    case 'EDNS':
      return "The mail server's name cannot be resolved";
    case 'ETLS':
      return `The mail server's TLS cannot be trusted: ${cleanReply(error.message)}`;
    case 'ECONNECTION':
      return 'The mail server closed the connection';
    default:
      if (reply !== '') return `The mail server gave an unexpected answer${reply}`;
      return `No answer from the mail server: ${cleanReply(error.message)}`;
  }
}
