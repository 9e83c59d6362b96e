import type { Envelope } from '../compose/compose-mail.ts';

/** A mail on its way to one server. */
export interface OutgoingMail {
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
