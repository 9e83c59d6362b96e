import { setTimeout as sleep } from 'node:timers/promises';
import { sql } from 'drizzle-orm';
import { alias } from 'drizzle-orm/pg-core';
import type postgres from 'postgres';
import { prepareStatement } from '../../db/run-statement.ts';
import {
  attachments,
  deliveries,
  deliveryRecipients,
  deliverySources,
  mailboxes,
  messages,
} from '../../db/tables.ts';
import { asUnavailable } from '../../platform/database-faults.ts';
import { Unavailable } from '../../platform/errors.ts';
import type { Logger } from '../../platform/log.ts';
import type { RecipientKind, RecipientState } from '../../platform/vocabulary.ts';
import { envelopeAddress, parseAddress } from '../address.ts';
import { type ComposedMail, composeMail, hasUtf8Headers } from '../compose/compose-mail.ts';
import {
  attachmentPart,
  type ConversationRow,
  conversationOf,
  conversationValue,
  type StoredFile,
  storedFiles,
} from '../compose/conversation.ts';
import { type MailedMessage, type MailParts, mailedColumns } from '../compose/mail-parts.ts';
import { type MailSource, sourceOctets } from '../compose/stored-mail.ts';
import type { Claim } from '../outbox/claim.ts';
import type { Attempted, RedactedPart } from '../outbox/settlement.ts';
import type { SendingMailbox } from '../smtp/mailbox-pools.ts';
import { d, f, m, r } from '../table-aliases.ts';

/** A recipient as the worker loads it. */
export interface DeliveryRecipient {
  readonly position: number;
  readonly kind: RecipientKind;
  readonly address: string;
  readonly name: string;
  readonly state: RecipientState;
  /** The last reply about this recipient. */
  readonly reply: string | null;
}

/** Everything that the worker needs to send one delivery. */
export interface DeliveryContents {
  readonly id: number;
  /** A temporary failure from this instant on is final. */
  readonly giveUpAt: Date;
  /** What of the message was redacted; null when nothing was. */
  readonly redacted: RedactedPart | null;
  /**
   * Position of the first infected file and the scanner's finding, `2 (Eicar-Test)`; null: no infected file.
   */
  readonly infected: string | null;
  /** All recipients by position, including those that an earlier attempt has settled. */
  readonly recipients: readonly DeliveryRecipient[];
  readonly mailbox: SendingMailbox;
  /** The size limit of the mailbox's server, in octets, as last recorded; null: none is known. */
  readonly serverMaxMailBytes: number | null;
  /** What the mail is composed of. `prepareMail` adds the date. */
  readonly parts: Omit<MailParts, 'date'>;
  /** The source that an earlier attempt stored; undefined: none did. */
  readonly source: MailSource | undefined;
}

/** A claimed mail whose contents cannot be read: what is known of it is enough to settle its attempt. */
export interface UnreadableMail extends Pick<Attempted, 'id' | 'giveUpAt' | 'recipients'> {
  readonly parts?: undefined;
}

type LoadedContents = Omit<DeliveryContents, 'mailbox' | 'source' | 'parts'>;
type LoadedParts = Pick<MailParts, 'messageId' | 'subject' | 'signature' | 'autoSubmitted'>;
interface ContentsRow extends LoadedContents, LoadedParts, MailedMessage {
  fromAddress: string;
  fromName: string;
  attachments: readonly StoredFile[];
  conversation: ConversationRow;
  mailboxId: number;
  mailboxAddress: string;
  smtpUrl: string | null;
  smtpPassword: Uint8Array | null;
  disabled: boolean;
  skeleton: Buffer | null;
  inserts: MailSource['inserts'] | null;
}

const own = alias(messages, 'own');
const s = alias(deliverySources, 's');

const mailed = sql.join(
  Object.keys(mailedColumns).map(
    (key) => sql`${own[key as keyof typeof mailedColumns]} as ${sql.identifier(key)}`,
  ),
  sql`, `,
);

const selectContents = prepareStatement<ContentsRow, { ids: readonly number[] }>(sql`
    select ${d.id}, ${d.rfcMessageId} as "messageId", ${d.fromAddress} as "fromAddress",
      ${d.fromName} as "fromName", ${d.subject} as subject, ${d.signature} as signature,
      ${d.autoSubmitted} as "autoSubmitted", ${d.giveUpAt} as "giveUpAt",
      ${mailed},
      case when ${own.redactedAt} is not null then 'MESSAGE' when exists (
        select from ${attachments} f
        where ${f.messageId} = ${own.id} and ${f.redactedAt} is not null) then 'FILE' end as redacted,
      (select ${f.position} || ' (' || ${f.scanFound} || ')' from ${attachments} f
        where ${f.messageId} = ${own.id} and ${f.scan} = 'INFECTED'
        order by ${f.position} limit 1) as infected,
      (select json_agg(json_build_object(
          'position', ${r.position}, 'kind', ${r.kind}, 'address', ${r.address}, 'name', ${r.name},
          'state', ${r.state}, 'reply', ${r.smtpReply}) order by ${r.position})
        from ${deliveryRecipients} r where ${r.deliveryId} = ${d.id}) as recipients,
      ${storedFiles(sql`${own.id}`)} as attachments,
      (select ${conversationValue} from (
        select ${d.ticketId} as ticket_id, ${d.quote} as quote, ${d.messageId} as before_message,
          ${d.id} as before_delivery) c
      ) as conversation,
      ${m.id} as "mailboxId", ${m.address} as "mailboxAddress", ${m.smtpUrl} as "smtpUrl",
      ${m.smtpPassword} as "smtpPassword", ${m.disabledAt} is not null as disabled,
      ${m.serverMaxMailBytes} as "serverMaxMailBytes",
      ${s.skeleton} as skeleton, ${s.inserts} as inserts
    from ${deliveries} d
    join ${messages} own on ${own.id} = ${d.messageId}
    join ${mailboxes} m on ${m.id} = ${d.mailboxId}
    left join ${deliverySources} s on ${s.deliveryId} = ${d.id}
    where ${d.id} = any (${sql.placeholder('ids')}::int[])`);

// It reads neither the message nor anything else that may be missing or damaged.
const selectUnreadable = prepareStatement<UnreadableMail, { ids: readonly number[] }>(sql`
    select ${d.id}, ${d.giveUpAt} as "giveUpAt",
      (select coalesce(json_agg(json_build_object(
          'position', ${r.position}, 'address', ${r.address}, 'state', ${r.state}, 'reply', ${r.smtpReply})
          order by ${r.position}), '[]')
        from ${deliveryRecipients} r where ${r.deliveryId} = ${d.id}) as recipients
    from ${deliveries} d where ${d.id} = any (${sql.placeholder('ids')}::int[])`);

/**
 * Loads claimed mails with one query. While the database does not answer, the query is logged and repeated,
 * after 100 ms to 2 s: no other worker sends these mails until their leases expire. After another error each
 * mail is loaded by itself, so that one that cannot be read holds up no other. It is logged, and only what
 * its settlement needs is loaded.
 * @param options `isOver` is called after each failure: true gives up
 * @returns the mails by delivery id, without those that do not exist, or of which not even that can be read;
 *   undefined when it gave up
 */
export async function loadWithRetries(
  client: postgres.Sql,
  claims: readonly Pick<Claim, 'id'>[],
  { log, isOver }: { readonly log: Logger; readonly isOver: () => boolean },
): Promise<Map<number, DeliveryContents | UnreadableMail> | undefined> {
  const loaded = new Map<number, DeliveryContents | UnreadableMail>();
  let batches = [claims.map(({ id }) => id)];
  for (let wait = 100; batches.length > 0; ) {
    const [ids, ...others] = batches as [number[], ...number[][]];
    try {
      for (const mail of await loadAll(client, ids, log)) loaded.set(mail.id, mail);
      batches = others;
    } catch (err) {
      if (asUnavailable(err) instanceof Unavailable) {
        log.error({ err }, 'claimed mails cannot be read, retrying');
        if (isOver()) return undefined;
        await sleep(wait);
        wait = Math.min(2 * wait, 2000);
      } else if (ids.length > 1) batches = [...ids.map((id) => [id]), ...others];
      else {
        log.error({ err, deliveryId: ids[0] }, 'a claimed mail cannot be settled; its lease will expire');
        batches = others;
      }
    }
  }
  return loaded;
}

async function loadAll(
  client: postgres.Sql,
  ids: readonly number[],
  log: Logger,
): Promise<readonly (DeliveryContents | UnreadableMail)[]> {
  try {
    const rows = await selectContents(client, { ids });
    if (rows.length < ids.length) throw new Error('the message of a claimed mail is missing');
    return rows.map(contentsOf);
  } catch (err) {
    if (ids.length > 1 || asUnavailable(err) instanceof Unavailable) throw err;
    log.error({ err, deliveryId: ids[0] }, 'a claimed mail cannot be read');
    return selectUnreadable(client, { ids });
  }
}

function contentsOf(row: ContentsRow): DeliveryContents {
  const { mailboxId, mailboxAddress, smtpUrl, smtpPassword, disabled, skeleton, inserts, ...mail } = row;
  const { id, giveUpAt, redacted, infected, recipients, serverMaxMailBytes, ...rest } = mail;
  const { fromAddress, fromName, attachments, conversation, ...composed } = rest;
  const named = (kind: RecipientKind) => recipients.filter((one) => one.kind === kind);
  return {
    ...{ id, giveUpAt, redacted, infected, recipients, serverMaxMailBytes },
    mailbox: { id: mailboxId, address: mailboxAddress, smtpUrl, smtpPassword, disabled },
    parts: {
      ...composed,
      ...conversationOf(conversation),
      from: { name: fromName, address: fromAddress },
      ...{ to: named('TO'), cc: named('CC'), bcc: named('BCC') },
      attachments: attachments.map(attachmentPart),
    },
    source: skeleton === null ? undefined : { skeleton, inserts: inserts ?? [] },
  };
}

/** A mail that can be sent. */
export type PreparedMail = Pick<ComposedMail, 'source' | 'byteSize' | 'hasUtf8Headers'>;

/**
 * The mail to send: the source of an earlier attempt if there is one, so that each attempt sends the same
 * bytes. If there is none, the mail is composed now, but not stored here.
 * @param now becomes the Date header of a mail that is composed
 */
export async function prepareMail({ source, parts }: DeliveryContents, now: Date): Promise<PreparedMail> {
  if (source === undefined) return composeMail({ ...parts, date: now });
  return { source, byteSize: sourceOctets(source), hasUtf8Headers: hasUtf8Headers(parts) };
}

/** The mail cannot be composed, because an address in its rows is damaged. The message says which one. */
export class DamagedAddress extends Error {}

/**
 * The envelope of one attempt, for these recipients: each address once, in the form for RCPT TO.
 * @throws DamagedAddress if the sender or any recipient of the mail has a text that is no address. In that
 *   form it could be the address of somebody else
 */
export function envelopeOf(
  { parts, recipients: all }: Pick<DeliveryContents, 'parts' | 'recipients'>,
  recipients: readonly { address: string }[],
): { from: string; to: string[] } {
  if (!parseAddress(parts.from.address).ok) throw new DamagedAddress("the sender's address is damaged");
  for (const { address, position } of all)
    if (!parseAddress(address).ok)
      throw new DamagedAddress(`the address of recipient ${position} is damaged`);
  return {
    from: envelopeAddress(parts.from.address),
    to: [...new Set(recipients.map(({ address }) => envelopeAddress(address)))],
  };
}
