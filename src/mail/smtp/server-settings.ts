import type { Envelope } from '../compose/compose-mail.ts';

/**
 * Timeouts of the phases of SMTP, in milliseconds. Shorter than in RFC 5321 §4.5.3.2, as connections are
 * pooled.
 */
export interface SmtpTimeouts {
  /** Name lookup, TCP, TLS, greeting, EHLO and sign-in together. */
  readonly connect: number;
  /** MAIL, every RCPT and DATA together. */
  readonly envelope: number;
  /** Between two pieces of the body. */
  readonly bodyStall: number;
  /** From the final dot to its reply. */
  readonly final: number;
}
/** The timeouts in use. */
export const defaultTimeouts: SmtpTimeouts = {
  connect: 60_000,
  envelope: 300_000,
  bodyStall: 180_000,
  final: 600_000,
};

/** Where and how to connect. */
export interface SmtpServer {
  readonly host: string;
  readonly port: number;
  /** TLS from the first byte. */
  readonly secure: boolean;
  /**
   * `require`: no mail without STARTTLS; `offer`: STARTTLS when the server has it. Certificates are verified
   * either way.
   */
  readonly startTls: 'require' | 'offer' | 'never';
  readonly user: string | undefined;
  readonly password: string | undefined;
}

/** A mail on its way to one server. */
export interface Transmission {
  readonly envelope: Envelope;
  /** Octets of the mail. */
  readonly byteSize: number;
  /** Whether its headers need a server with SMTPUTF8, whatever its recipients. */
  readonly hasUtf8Headers: boolean;
  /** Called after the server's 354 and before the first byte of the body. `false` drops the connection. */
  readonly openBody: () => Promise<boolean>;
  /** The bytes of the mail, before dot-stuffing. */
  readonly bytes: () => AsyncIterable<Buffer>;
}
