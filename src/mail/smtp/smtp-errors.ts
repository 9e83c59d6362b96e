import type { Envelope } from '../compose/compose-mail.ts';
import { type AttemptOutcome, cleanReply, outcomeOf, verdictOf } from './outcome.ts';

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
/** An attachment could not be read, which is no fault of the server. */
export class UnreadableFile extends Error {}

/** How the ledger tells faults of the gateway that the server has no part in. */
export const gatewayFaults = {
  uncomposable: 'The mail could not be composed',
  unreadableFile: 'An attachment could not be read',
};

/** The outcome of a failed connection. */
export function failedToConnect(error: unknown, envelope: Envelope): AttemptOutcome {
  const { response = '', responseCode, code } = error as SmtpError;
  // A refused sign-in or an untrusted certificate is a fault of the mailbox's settings, so the mail is
  // retried.
  const final = responseCode !== undefined && responseCode >= 500 && code !== 'EAUTH' && code !== 'ETLS';
  const words = final ? response : plainWords(error as SmtpError);
  return outcomeOf('CONNECT', words, { envelope }, () => verdictOf(words), !final);
}

/** Describes an error for operators, in a sentence without a full stop. */
export function plainWords(error: SmtpError): string {
  if (/WRONG_VERSION_NUMBER/.test(error.originalCode ?? ''))
    return 'The mail server does not begin with TLS on this port, as smtps:// does: use smtp://';
  if (/CERT|SELF_SIGNED|ALTNAME|^ERR_(?:SSL|TLS)|EPROTO/.test(error.originalCode ?? ''))
    return `The mail server's TLS cannot be trusted: ${cleanReply(error.message)}`;
  const reply = error.response === undefined ? '' : ` (${cleanReply(error.response)})`;
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
      return `No answer from the mail server: ${cleanReply(error.message)}`;
  }
}
