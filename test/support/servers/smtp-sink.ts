import { once } from 'node:events';
import type { AddressInfo } from 'node:net';
import { SMTPServer, type SMTPServerOptions, type SMTPServerSession } from 'smtp-server';
import { eventually } from '../eventually.ts';
import {
  type Connection,
  type Fault,
  FaultPlan,
  hinderCommands,
  Reply,
  type Step,
  suffer,
} from './smtp-sink-faults.ts';

export type { Fault, Step };

/** A mail that the sink accepted. */
export interface SinkMail {
  readonly from: string;
  /** Every RCPT TO that was accepted, in order. */
  readonly to: readonly string[];
  /** Without the transport's dot-stuffing. */
  readonly source: Buffer;
  readonly receivedAt: Date;
  readonly secure: boolean;
  /** Login, when the client signed in. */
  readonly user: string | undefined;
}

export interface SinkOptions {
  port?: number;
  faults?: readonly Fault[];
  tls?: 'none' | 'starttls' | 'implicit';
  /** PEM; without it, smtp-server's own for localhost, which nobody trusts. */
  certificate?: { key: string; cert: string };
  /** When set, clients have to sign in. */
  auth?: { user: string; pass: string };
  /** Announced as SIZE and kept to. */
  maxBytes?: number;
  /** Called before the server says 250: makes the taking durable. */
  onMail?: (mail: SinkMail) => void | Promise<void>;
}

export interface SmtpSink extends AsyncDisposable {
  readonly port: number;
  /** `smtp://127.0.0.1:PORT` */
  readonly url: string;
  readonly mails: readonly SinkMail[];
  /** Every step that a client reached, faulty or not. */
  readonly steps: readonly { readonly step: Step; readonly address?: string; readonly at: Date }[];
  /** Replaces the faults from now on. */
  setFaults(faults: readonly Fault[]): void;
  /** Resolves with the mails once there are as many. */
  received(count: number): Promise<readonly SinkMail[]>;
  /** How many clients are connected. */
  connections(): number;
  /** Drops every connection of now. */
  cut(): void;
}

/** A real SMTP server on loopback that records the mails that it accepts, and fails on demand. */
export async function startSmtpSink(options: SinkOptions = {}): Promise<SmtpSink> {
  const mails: SinkMail[] = [];
  const plan = new FaultPlan();
  plan.set(options.faults ?? []);
  const server = createServer(options, plan, mails);
  server.listen(options.port ?? 0, '127.0.0.1');
  await once(server.server, 'listening');
  const { port } = server.server.address() as AddressInfo;
  const cut = () => {
    for (const connection of server.connections as Set<Connection>) connection._socket.destroy();
  };
  return {
    port,
    url: `${options.tls === 'implicit' ? 'smtps' : 'smtp'}://127.0.0.1:${port}`,
    mails,
    steps: plan.steps,
    setFaults: (faults) => plan.set(faults),
    received: (count) =>
      eventually(
        () => mails.length >= count && mails,
        () => `${mails.length} of ${count} mails`,
      ),
    connections: () => server.connections.size,
    cut,
    async [Symbol.asyncDispose]() {
      cut();
      await new Promise<void>((resolve) => server.close(() => resolve()));
    },
  };
}

function createServer(options: SinkOptions, plan: FaultPlan, mails: SinkMail[]): SMTPServer {
  const connectionOf = (session: SMTPServerSession): Connection =>
    [...(server.connections as Set<Connection>)].find((one) => one.session.id === session.id)!;
  const at = (step: Step, session: SMTPServerSession, address?: string) =>
    suffer(plan.meet(step, address), connectionOf(session));

  const server = new SMTPServer({
    ...serverOptions(options),
    onConnect(session, done) {
      hinderCommands(connectionOf(session), plan);
      at('CONNECT', session).then(() => done(), done);
    },
    onMailFrom: ({ address }, session, done) => void at('MAIL', session, address).then(() => done(), done),
    onRcptTo: ({ address }, session, done) => void at('RCPT', session, address).then(() => done(), done),
    onData: (stream, session, done) => void take(stream, session).then(() => done(), done),
  });
  server.on('error', () => {
    // Clients that go away in the middle are what the sink is for.
  });
  return server;

  async function take(stream: NodeJS.ReadableStream, session: SMTPServerSession): Promise<void> {
    const { mailFrom, rcptTo } = session.envelope;
    const source = await readBody(stream, plan.meet('BODY'), connectionOf(session));
    await at('DOT', session);
    const mail: SinkMail = {
      from: mailFrom === false ? '' : mailFrom.address,
      to: rcptTo.map(({ address }) => address),
      source,
      receivedAt: new Date(),
      secure: session.secure,
      user: session.user,
    };
    await options.onMail?.(mail);
    mails.push(mail);
    await at('REPLY', session);
  }
}

async function readBody(
  stream: NodeJS.ReadableStream,
  fault: Fault | undefined,
  connection: Connection,
): Promise<Buffer> {
  const chunks: Buffer[] = [];
  let size = 0;
  let suffered = false;
  for await (const chunk of stream) {
    chunks.push(chunk as Buffer);
    size += chunk.length;
    if (suffered || size < (fault?.afterBytes ?? 1)) continue;
    suffered = true;
    await suffer(fault, connection);
  }
  return Buffer.concat(chunks);
}

function serverOptions({ tls = 'none', certificate, auth, maxBytes }: SinkOptions): SMTPServerOptions {
  return {
    ...certificate,
    secure: tls === 'implicit',
    authOptional: auth === undefined,
    allowInsecureAuth: true,
    disabledCommands: [...(tls === 'starttls' ? [] : ['STARTTLS']), ...(auth ? [] : ['AUTH'])],
    disableReverseLookup: true,
    logger: false,
    closeTimeout: 50,
    ...(maxBytes === undefined ? {} : { size: maxBytes }),
    onAuth({ username, password }, _session, done) {
      const good = username === auth?.user && password === auth?.pass;
      done(good ? null : new Reply('535 5.7.8 Authentication failed'), good ? { user: username } : undefined);
    },
  };
}
