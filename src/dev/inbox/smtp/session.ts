import type { Socket } from 'node:net';
import { parseAddress } from '../../../mail/address.ts';
import { SmtpReply } from './fault-addresses.ts';
import { SmtpReader } from './reader.ts';

/** A mail that a client transmitted. */
export interface ReceivedMail {
  /** Address of MAIL FROM; empty for the null reverse path. */
  readonly mailFrom: string;
  /** The accepted addresses of RCPT TO, in their order. */
  readonly rcptTo: readonly string[];
  /** The mail as it was sent, after the dots of the transmission were removed. */
  readonly source: Buffer;
}

/** Decisions of the server. Each may throw an SmtpReply, which is sent to the client and ends the command. */
export interface SessionHooks {
  /**
   * Accepts a recipient.
   * @throws SmtpReply to reject it
   */
  recipient(address: string, sender: string): Promise<void>;
  /** Whether to close the connection after the reply 354, instead of reading the body. */
  cutsBody(recipients: readonly string[]): boolean;
  /**
   * Stores the mail. Resolves to true to close the connection instead of replying 250.
   * @throws SmtpReply to refuse the mail
   */
  take(mail: ReceivedMail): Promise<boolean>;
}

/** Limits of the server. */
export interface SmtpLimits {
  /** Maximum bytes of one mail. It is announced as SIZE, and a larger mail gets the reply 552. */
  readonly maxBytes: number;
}

const name = 'inbox.ticketwire.test';
const tooLarge = '552 5.3.4 The mail exceeds the announced SIZE';
const wrongOrder = '503 5.5.1 Bad sequence of commands';

interface SmtpTransaction {
  readonly sender: string;
  readonly smtpUtf8: boolean;
  readonly recipients: string[];
}

/** The state of a session. */
interface InboxSession {
  readonly reader: SmtpReader;
  readonly socket: Socket;
  readonly hooks: SessionHooks;
  readonly maxBytes: number;
  greeted: boolean;
  transaction: SmtpTransaction | undefined;
}

/** The reply to a command; undefined when the connection is closed. */
type ReplyLine = string | undefined;
type Verb = (session: InboxSession, rest: string) => ReplyLine | Promise<ReplyLine>;

/**
 * Serves one client until it disconnects or quits (RFC 5321 with SIZE, 8BITMIME, SMTPUTF8, PIPELINING and
 * ENHANCEDSTATUSCODES). It accepts every address that the gateway sends to, including quoted ones. Resolves
 * when the session is over.
 * @throws Error when the connection fails, a line is too long, or a hook throws anything but an SmtpReply;
 *   then the caller closes the socket
 */
export async function serveSession(
  socket: Socket,
  hooks: SessionHooks,
  { maxBytes }: SmtpLimits,
): Promise<void> {
  const reader = new SmtpReader(socket);
  const session: InboxSession = { reader, socket, hooks, maxBytes, greeted: false, transaction: undefined };
  socket.write(`220 ${name} ESMTP Ticketwire development inbox\r\n`);
  for (let line = await reader.line(); line !== undefined; line = await reader.line()) {
    const reply = await replyTo(session, line);
    if (reply === undefined) return;
    socket.write(`${reply}\r\n`);
    // 221 and 421 end the session.
    if (/^[24]21/.test(reply)) return void socket.end();
  }
}

async function replyTo(session: InboxSession, line: string): Promise<ReplyLine> {
  const [, verb = '', rest = ''] = /^([A-Za-z]*) ?(.*)$/s.exec(line) ?? [];
  const command = commands.get(verb.toUpperCase());
  if (command === undefined) return '500 5.5.2 Unknown command';
  try {
    return await command(session, rest);
  } catch (error) {
    if (!(error instanceof SmtpReply)) throw error;
    return `${error.responseCode} ${error.message}`;
  }
}

const commands = new Map<string, Verb>([
  ['EHLO', (session) => greet(session, offersOf(session.maxBytes))],
  ['HELO', (session) => greet(session, `250 ${name}`)],
  ['MAIL', beginMail],
  ['RCPT', addRecipient],
  ['DATA', takeData],
  [
    'RSET',
    (session) => {
      session.transaction = undefined;
      return '250 2.0.0 OK';
    },
  ],
  ['NOOP', () => '250 2.0.0 OK'],
  ['VRFY', () => '252 2.5.0 Every address is accepted here'],
  ['QUIT', () => '221 2.0.0 Bye'],
]);

function greet(session: InboxSession, reply: string): ReplyLine {
  session.greeted = true;
  session.transaction = undefined;
  return reply;
}

function offersOf(maxBytes: number): string {
  const offers = ['PIPELINING', '8BITMIME', 'SMTPUTF8', 'ENHANCEDSTATUSCODES'];
  return [`250-${name}`, ...offers.map((offer) => `250-${offer}`), `250 SIZE ${maxBytes}`].join('\r\n');
}

function beginMail(session: InboxSession, rest: string): ReplyLine {
  if (!session.greeted || session.transaction !== undefined) return wrongOrder;
  const { address: sender, size, smtpUtf8 } = readPath('FROM', rest);
  if (size > session.maxBytes) return tooLarge;
  session.transaction = { sender, smtpUtf8, recipients: [] };
  return '250 2.1.0 OK';
}

async function addRecipient({ transaction, hooks }: InboxSession, rest: string): Promise<ReplyLine> {
  if (transaction === undefined) return wrongOrder;
  const { address } = readPath('TO', rest, transaction.smtpUtf8);
  if (address === '') return '550 5.1.3 A recipient must not be empty';
  await hooks.recipient(address, transaction.sender);
  transaction.recipients.push(address);
  return '250 2.1.5 OK';
}

async function takeData(session: InboxSession): Promise<ReplyLine> {
  const { transaction, socket, hooks } = session;
  if (transaction === undefined || transaction.recipients.length === 0) return wrongOrder;
  const { sender: mailFrom, recipients: rcptTo } = transaction;
  session.transaction = undefined;
  socket.write('354 End data with <CR><LF>.<CR><LF>\r\n');
  if (hooks.cutsBody(rcptTo)) {
    socket.destroySoon();
    return undefined;
  }
  const source = await session.reader.body(session.maxBytes);
  if (source === undefined) return undefined;
  if (source === null) return tooLarge;
  if (!(await hooks.take({ mailFrom, rcptTo, source }))) return '250 2.6.0 Stored in the inbox';
  socket.destroy();
  return undefined;
}

/**
 * Parses `FROM:<jane@domain.com> SIZE=1000`. A quoted local part may contain spaces and angle brackets.
 * @throws SmtpReply
 */
function readPath(
  keyword: 'FROM' | 'TO',
  rest: string,
  smtpUtf8 = /\sSMTPUTF8\b/i.test(rest),
): { address: string; size: number; smtpUtf8: boolean } {
  const [, word, path, parameters = ''] =
    /^(FROM|TO):\s*<((?:"(?:[^"\\]|\\.)*"|[^"<>\s])*)>((?:\s+\S+)*)\s*$/i.exec(rest) ?? [];
  if (path === undefined || word?.toUpperCase() !== keyword)
    throw new SmtpReply('501 5.5.4 Expected an address in angle brackets');
  // Source routes are obsolete and ignored (RFC 5321 §4.1.1.3).
  const address = path.replace(/^@[^":]*:/, '');
  if (address !== '' && !/^postmaster$/i.test(address)) {
    const parsed = parseAddress(address);
    if (!parsed.ok) throw new SmtpReply(`501 5.1.3 ${parsed.message}`);
    if (parsed.needsSmtpUtf8 && !smtpUtf8)
      throw new SmtpReply('553 5.6.7 A non-ASCII address requires SMTPUTF8');
  }
  const unknown = parameters
    .split(/\s+/)
    .find((one) => one !== '' && !/^(?:SIZE=\d{1,15}|BODY=(?:7BIT|8BITMIME)|SMTPUTF8)$/i.test(one));
  if (unknown !== undefined) throw new SmtpReply('555 5.5.4 Unknown parameter');
  return { address, size: Number(/SIZE=(\d+)/i.exec(parameters)?.[1] ?? 0), smtpUtf8 };
}
