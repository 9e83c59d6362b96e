import { once } from 'node:events';
import { type AddressInfo, createServer, type Socket } from 'node:net';

/**
 * Replies to commands, by verb: `DOT` answers a whole mail. A function gets the connection, counted from 1,
 * and the command.
 */
export type SmtpScript = Readonly<Record<string, string | ((connection: number, line: string) => string)>>;

export interface ScriptedSmtp extends AsyncDisposable {
  readonly url: string;
  /** Every line that was read as a command, in order. */
  readonly commands: readonly string[];
  /** Mails that ended with a dot after the script's 354. */
  readonly mails: readonly string[];
}

/** The end of a reply after which the server closes the connection. */
export const close = '<close>';

const usual: SmtpScript = {
  GREETING: '220 mail.test',
  EHLO: '250-mail.test\r\n250 ENHANCEDSTATUSCODES',
  MAIL: '250 2.1.0 ok',
  RCPT: '250 2.1.5 ok',
  DATA: '354 go on',
  DOT: '250 2.0.0 taken',
  RSET: '250 2.0.0 ok',
  QUIT: `221 bye${close}`,
};

/** An SMTP server that says exactly what a test wants, also what no server should say. */
export async function startScriptedSmtp(script: SmtpScript): Promise<ScriptedSmtp> {
  const commands: string[] = [];
  const mails: string[] = [];
  const sockets = new Set<Socket>();
  const server = createServer((socket) => {
    sockets.add(socket);
    const connection = sockets.size;
    let unread = '';
    let inBody = false;
    const say = (verb: string, line = ''): string => {
      const reply = script[verb] ?? usual[verb] ?? '500 5.5.1 what';
      const text = typeof reply === 'string' ? reply : reply(connection, line);
      if (text.endsWith(close)) socket.end(`${text.slice(0, -close.length)}\r\n`);
      else socket.write(`${text}\r\n`);
      return text;
    };
    const readOne = (): boolean => {
      const end = inBody ? '\r\n.\r\n' : '\r\n';
      const at = unread.indexOf(end);
      if (at < 0) return false;
      const read = unread.slice(0, at);
      unread = unread.slice(at + end.length);
      if (inBody) {
        inBody = false;
        mails.push(read);
        say('DOT');
        return true;
      }
      commands.push(read);
      const verb = read.split(/[ :]/)[0]!.toUpperCase();
      // A client begins TLS with its next bytes.
      if (verb === 'STARTTLS') socket.once('data', () => socket.end('500 5.5.1 what\r\n'));
      inBody = say(verb, read).startsWith('354') && verb === 'DATA';
      return true;
    };
    socket.on('error', () => {});
    socket.setEncoding('latin1').on('data', (piece: string) => {
      unread += piece;
      while (readOne());
    });
    say('GREETING');
  });
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  const { port } = server.address() as AddressInfo;
  return {
    url: `smtp://127.0.0.1:${port}`,
    commands,
    mails,
    async [Symbol.asyncDispose]() {
      for (const socket of sockets) socket.destroy();
      server.close();
      await once(server, 'close');
    },
  };
}
