import type { Socket } from 'node:net';
import { parseAddress } from './address.ts';
import { SmtpReply } from './inbox-faults.ts';
import { SmtpReader } from './inbox-wire.ts';

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
const wrongOrder = '503 5.5.1 Another command is due first';

interface Envelope {
  readonly sender: string;
  readonly smtpUtf8: boolean;
  readonly recipients: string[];
}

/**
 * One client's side of SMTP (RFC 5321 with SIZE, 8BITMIME, SMTPUTF8 and PIPELINING), until it leaves. It takes every address that we
 * send to, quoted ones included.
 */
export async function converse(socket: Socket, hooks: SmtpHooks, { maxBytes }: SmtpLimits): Promise<void> {
  const reader = new SmtpReader(socket);
  const say = (line: string) => void socket.write(`${line}\r\n`);
  let greeted = false;
  let envelope: Envelope | undefined;

  const commands: Record<string, (rest: string) => Promise<void> | void> = {
    EHLO() {
      [greeted, envelope] = [true, undefined];
      const offers = ['PIPELINING', '8BITMIME', 'SMTPUTF8', 'ENHANCEDSTATUSCODES', `SIZE ${maxBytes}`];
      say(
        [`250-${name}`, ...offers.map((offer, n) => `250${n < offers.length - 1 ? '-' : ' '}${offer}`)].join(
          '\r\n',
        ),
      );
    },
    HELO() {
      [greeted, envelope] = [true, undefined];
      say(`250 ${name}`);
    },
    MAIL(rest) {
      if (!greeted || envelope !== undefined) return say(wrongOrder);
      const path = readPath('FROM', rest);
      envelope = { sender: path.address, smtpUtf8: path.smtpUtf8, recipients: [] };
      if (path.size > maxBytes) {
        envelope = undefined;
        throw new SmtpReply('552 5.3.4 The mail is larger than the announced SIZE');
      }
      say('250 2.1.0 OK');
    },
    async RCPT(rest) {
      if (envelope === undefined) return say(wrongOrder);
      const { address } = readPath('TO', rest, envelope.smtpUtf8);
      if (address === '') throw new SmtpReply('550 5.1.3 Nobody is no recipient');
      await hooks.recipient(address, envelope.sender);
      envelope.recipients.push(address);
      say('250 2.1.5 OK');
    },
    async DATA() {
      if (envelope === undefined || envelope.recipients.length === 0) return say(wrongOrder);
      const { sender: mailFrom, recipients: rcptTo } = envelope;
      envelope = undefined;
      say('354 End with a dot on a line of its own');
      if (hooks.cutsBody(rcptTo)) return void socket.destroySoon();
      const source = await reader.body(maxBytes);
      if (source === undefined) return;
      if (source === null) throw new SmtpReply('552 5.3.4 The mail is larger than the announced SIZE');
      if (await hooks.take({ mailFrom, rcptTo, source })) return void socket.destroy();
      say('250 2.6.0 It is in the inbox');
    },
    RSET() {
      envelope = undefined;
      say('250 2.0.0 OK');
    },
    NOOP: () => say('250 2.0.0 OK'),
    VRFY: () => say('252 2.5.0 Everybody has a mailbox here'),
    QUIT() {
      say('221 2.0.0 Bye');
      socket.end();
    },
  };

  say(`220 ${name} ESMTP Ticketwire development inbox`);
  for (let line = await reader.line(); line !== undefined; line = await reader.line()) {
    const [, verb = '', rest = ''] = /^([A-Za-z]*) ?(.*)$/s.exec(line) ?? [];
    const command = commands[verb.toUpperCase()];
    try {
      if (command === undefined) say('500 5.5.2 There is no such command here');
      else await command(rest);
    } catch (error) {
      if (!(error instanceof SmtpReply)) throw error;
      say(`${error.responseCode} ${error.message}`);
      if (error.responseCode === 421) socket.end();
    }
    if (socket.writableEnded) return;
  }
}

/** `FROM:<jane@domain.com> SIZE=1000`. A quoted local part may hold blanks and angle brackets. @throws SmtpReply */
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
