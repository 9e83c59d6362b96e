import type { Envelope } from '../compose/compose-mail.ts';
import { type AttemptOutcome, cleanReply, outcomeOf, verdictOf } from './outcome.ts';
import type { SmtpServer } from './server-settings.ts';

/** An error of nodemailer. */
export interface SmtpError extends Error {
  code?: string;
  /** Code of the underlying error of the system or OpenSSL. */
  originalCode?: string;
  response?: string;
  responseCode?: number;
  rejectedErrors?: (SmtpError & { recipient: string })[];
}
/** The attempt may not send a byte: its fence failed. The message says why, in plain words. */
export class Fenced extends Error {}
/** A fault whose message is in plain words. */
export class PlainFault extends Error {}

/** How the ledger tells faults of the gateway that the server has no part in. */
export const gatewayFaults = {
  uncomposable: 'The mail could not be composed',
  unreadableFile: 'An attachment could not be read',
};

/** The outcome of a failed connection. */
export function failedToConnect(error: unknown, { secure }: SmtpServer, envelope: Envelope): AttemptOutcome {
  const { response = '', responseCode, code } = error as SmtpError;
  // A refused sign-in or an untrusted certificate is a fault of the mailbox's settings, so the mail is
  // retried.
  const final = responseCode !== undefined && responseCode >= 500 && code !== 'EAUTH' && code !== 'ETLS';
  const words = final ? response : explainSmtpError(error as SmtpError, secure);
  return outcomeOf('CONNECT', words, { envelope }, () => verdictOf(words), !final);
}

/**
 * Describes an error for operators, in a sentence without a full stop.
 * @param secure whether the connection began with TLS
 */
export function explainSmtpError(error: SmtpError, secure: boolean): string {
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
