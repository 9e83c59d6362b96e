import type { Envelope } from '../compose/compose-mail.ts';

/** A mail on its way to one server. */
export interface OutgoingMail {
  readonly envelope: Envelope;
  /** Octets of the mail, before dot-stuffing. */
  readonly byteSize: number;
  /** Whether its headers need a server with SMTPUTF8, even if no recipient's address does. */
  readonly hasUtf8Headers: boolean;
  /**
   * Called at most once, after the server's 354 and before the first byte of the body. When it resolves to
   * false or rejects, no byte is sent and the connection is dropped.
   */
  readonly openBody: () => Promise<boolean>;
  /**
   * The bytes of the mail, before dot-stuffing. Called at most once, after `openBody` has resolved to true.
   * When it fails, the connection is dropped before the end of the mail, so that the server does not accept
   * it.
   */
  readonly bytes: () => AsyncIterable<Buffer>;
}
