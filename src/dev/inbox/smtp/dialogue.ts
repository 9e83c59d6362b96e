import type { Socket } from 'node:net';
import { parseAddress } from '../../../mail/address.ts';
import { SmtpReply } from './faults.ts';
import { SmtpReader } from './wire.ts';

/** A mail as a client hands it over. */
export interface HandedMail {
  /** Empty: nobody is to be told of what becomes of it. */
  readonly mailFrom: string;
  readonly rcptTo: readonly string[];
  readonly source: Buffer;
}

/** Who decides. Each may throw an SmtpReply, which is then the answer. */
export interface SmtpHooks {
  recipient(address: string, sender: string): Promise<void>;
  /** Before a body is read: whether the connection is cut instead. */
  cutsBody(recipients: readonly string[]): boolean;
  /** The mail is taken when this resolves; true: the connection is cut instead of saying so. */
  take(mail: HandedMail): Promise<boolean>;
}

export interface SmtpLimits {
  readonly maxBytes: number;
}

const name = 'inbox.ticketwire.test';
const tooLarge = '552 5.3.4 The mail is larger than the announced SIZE';
const wrongOrder = '503 5.5.1 Another command is due first';

interface Envelope {
  readonly sender: string;
  readonly smtpUtf8: boolean;
  readonly recipients: string[];
}

/** What has been agreed with a client so far. */
interface Dialogue {
  readonly reader: SmtpReader;
  readonly socket: Socket;
  readonly hooks: SmtpHooks;
  readonly maxBytes: number;
  greeted: boolean;
  envelope: Envelope | undefined;
}

/** What a command is answered; undefined: nothing any more. */
type Answer = string | undefined;
type Command = (talk: Dialogue, rest: string) => Answer | Promise<Answer>;

/**
 * One client's side of SMTP (RFC 5321 with SIZE, 8BITMIME, SMTPUTF8 and PIPELINING), until it leaves. It
 * takes every address that we send to, quoted ones included.
 */
export async function converse(socket: Socket, hooks: SmtpHooks, { maxBytes }: SmtpLimits): Promise<void> {
  const reader = new SmtpReader(socket);
  const talk: Dialogue = { reader, socket, hooks, maxBytes, greeted: false, envelope: undefined };
  socket.write(`220 ${name} ESMTP Ticketwire development inbox\r\n`);
  for (let line = await reader.line(); line !== undefined; line = await reader.line()) {
    const answer = await answerTo(talk, line);
    if (answer === undefined) return;
    socket.write(`${answer}\r\n`);
    // 221 and 421 are last words.
    if (/^[24]21/.test(answer)) return void socket.end();
  }
}

async function answerTo(talk: Dialogue, line: string): Promise<Answer> {
  const [, verb = '', rest = ''] = /^([A-Za-z]*) ?(.*)$/s.exec(line) ?? [];
  const command = commands.get(verb.toUpperCase());
  if (command === undefined) return '500 5.5.2 There is no such command here';
  try {
    return await command(talk, rest);
  } catch (error) {
    if (!(error instanceof SmtpReply)) throw error;
    return `${error.responseCode} ${error.message}`;
  }
}

const commands = new Map<string, Command>([
  ['EHLO', (talk) => greet(talk, offersOf(talk.maxBytes))],
  ['HELO', (talk) => greet(talk, `250 ${name}`)],
  ['MAIL', beginMail],
  ['RCPT', addRecipient],
  ['DATA', takeData],
  [
    'RSET',
    (talk) => {
      talk.envelope = undefined;
      return '250 2.0.0 OK';
    },
  ],
  ['NOOP', () => '250 2.0.0 OK'],
  ['VRFY', () => '252 2.5.0 Everybody has a mailbox here'],
  ['QUIT', () => '221 2.0.0 Bye'],
]);

function greet(talk: Dialogue, answer: string): Answer {
  talk.greeted = true;
  talk.envelope = undefined;
  return answer;
}

function offersOf(maxBytes: number): string {
  const offers = ['PIPELINING', '8BITMIME', 'SMTPUTF8', 'ENHANCEDSTATUSCODES'];
  return [`250-${name}`, ...offers.map((offer) => `250-${offer}`), `250 SIZE ${maxBytes}`].join('\r\n');
}

function beginMail(talk: Dialogue, rest: string): Answer {
  if (!talk.greeted || talk.envelope !== undefined) return wrongOrder;
  const { address: sender, size, smtpUtf8 } = readPath('FROM', rest);
  if (size > talk.maxBytes) return tooLarge;
  talk.envelope = { sender, smtpUtf8, recipients: [] };
  return '250 2.1.0 OK';
}

async function addRecipient({ envelope, hooks }: Dialogue, rest: string): Promise<Answer> {
  if (envelope === undefined) return wrongOrder;
  const { address } = readPath('TO', rest, envelope.smtpUtf8);
  if (address === '') return '550 5.1.3 Nobody is no recipient';
  await hooks.recipient(address, envelope.sender);
  envelope.recipients.push(address);
  return '250 2.1.5 OK';
}

async function takeData(talk: Dialogue): Promise<Answer> {
  const { envelope, socket, hooks } = talk;
  if (envelope === undefined || envelope.recipients.length === 0) return wrongOrder;
  const { sender: mailFrom, recipients: rcptTo } = envelope;
  talk.envelope = undefined;
  socket.write('354 End with a dot on a line of its own\r\n');
  if (hooks.cutsBody(rcptTo)) {
    socket.destroySoon();
    return undefined;
  }
  const source = await talk.reader.body(talk.maxBytes);
  if (source === undefined) return undefined;
  if (source === null) return tooLarge;
  if (!(await hooks.take({ mailFrom, rcptTo, source }))) return '250 2.6.0 It is in the inbox';
  socket.destroy();
  return undefined;
}

/**
 * `FROM:<jane@domain.com> SIZE=1000`. A quoted local part may hold blanks and angle brackets. @throws
 * SmtpReply
 */
function readPath(
  keyword: 'FROM' | 'TO',
  rest: string,
  smtpUtf8 = /\sSMTPUTF8\b/i.test(rest),
): { address: string; size: number; smtpUtf8: boolean } {
  const [, word, path, parameters = ''] =
    /^(FROM|TO):\s*<((?:"(?:[^"\\]|\\.)*"|[^"<>\s])*)>((?:\s+\S+)*)\s*$/i.exec(rest) ?? [];
  if (path === undefined || word?.toUpperCase() !== keyword)
    throw new SmtpReply('501 5.5.4 Not an address in angle brackets');
  // A route of relays is as obsolete as relays are (RFC 5321 §4.1.1.3).
  const address = path.replace(/^@[^":]*:/, '');
  if (address !== '' && !/^postmaster$/i.test(address)) {
    const parsed = parseAddress(address);
    if (!parsed.ok) throw new SmtpReply(`501 5.1.3 ${parsed.message}`);
    if (parsed.needsSmtpUtf8 && !smtpUtf8)
      throw new SmtpReply('553 5.6.7 An address with letters beyond ASCII needs SMTPUTF8');
  }
  const unknown = parameters
    .split(/\s+/)
    .find((one) => one !== '' && !/^(?:SIZE=\d{1,15}|BODY=(?:7BIT|8BITMIME)|SMTPUTF8)$/i.test(one));
  if (unknown !== undefined) throw new SmtpReply('555 5.5.4 There is no such parameter here');
  return { address, size: Number(/SIZE=(\d+)/i.exec(parameters)?.[1] ?? 0), smtpUtf8 };
}
