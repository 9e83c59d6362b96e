import { setTimeout as sleep } from 'node:timers/promises';
import type postgres from 'postgres';
import { inSpan, SpanKind } from '../../observe/tracing.ts';
import { createBatcher } from '../../platform/batcher.ts';
import { mayBeOfOneRow } from '../../platform/database-faults.ts';
import type { Logger } from '../../platform/log.ts';
import type { AttemptPhase, DeliveryState } from '../../platform/vocabulary.ts';
import type { BlobStore } from '../../storage/blob-store.ts';
import { inLargePieces, type MailSource, mailBytes, readAhead } from '../compose/stored-mail.ts';
import type { Claim } from '../outbox/claim.ts';
import { type ClaimRef, openBody, storeSources } from '../outbox/fence.ts';
import { recordSizeLimit } from '../outbox/record-size-limit.ts';
import { settle } from '../outbox/settle-attempts.ts';
import {
  faultSettlement,
  type Settlement,
  settlementOf,
  unsendableSettlement,
  unsettledRecipients,
} from '../outbox/settlement.ts';
import { type MailboxPools, MailboxUnusable } from '../smtp/mailbox-pools.ts';
import type { AttemptOutcome } from '../smtp/outcome.ts';
import { gatewayFaults } from '../smtp/smtp-errors.ts';
import {
  DamagedAddress,
  type DeliveryContents,
  envelopeOf,
  prepareMail,
  type UnreadableMail,
} from './delivery-contents.ts';
import { createFileStoreHealth, FilesUnreadable } from './file-store-health.ts';
import type { WorkerStep } from './steps.ts';

/** What attempts need. */
export interface AttemptPorts {
  readonly sql: postgres.Sql;
  readonly blobs: Pick<BlobStore, 'open'>;
  readonly log: Logger;
  /** The time by the database's clock. */
  readonly now: () => Date;
  /** Returns a number in [0, 1), which spreads the retries of mails that failed together. */
  readonly random: () => number;
  readonly pools: MailboxPools;
  /**
   * Called after an attempt, before its outcome is committed, so that other mails of the same mailbox back
   * off at once. Not called when a fence failed, or when no connection was asked for.
   */
  readonly reportServer: (mailboxId: number, serverDown: boolean) => void;
  /** Called when a fence failed, before the outcome is committed: other mails would fail as well. */
  readonly fenceFailed: () => void;
  /** Called when the outcome is written. */
  readonly attempted?: OnAttempt | undefined;
  /** Called and awaited at each step, for tests. */
  readonly trace?: (step: WorkerStep, deliveryId: number) => Promise<void> | void;
}

/** Called with the delivery's state after an attempt, the phase reached and the duration in seconds. */
export type OnAttempt = (outcome: DeliveryState, phase: AttemptPhase, seconds: number) => void;

/** Milliseconds between looks at a delivery that is locked before its fence. */
const lockedMs = 100;

/** Sends claimed deliveries. */
export interface Attempts {
  /**
   * Sends one claimed delivery, commits its outcome to the ledger, and logs it. A mail with a redacted part
   * or an infected file is not sent, and settled as CANCELLED or FAILED. A mailbox that cannot send, or a
   * mail that cannot be read or composed, is an outcome too. While the database does not answer, the commit
   * is retried without end.
   * @param mayBegin called while the mail waits for its files, and once when a connection is free
   * @returns false when no byte was sent and nothing was written, because `mayBegin` returned false or the
   *   pool cancelled the mail. The caller releases the claim then
   */
  run(claim: Claim, mail: DeliveryContents | UnreadableMail, mayBegin: () => boolean): Promise<boolean>;
}

/** Creates the sender of claimed deliveries. Commits of concurrent attempts are batched. */
export function createAttempts(ports: AttemptPorts): Attempts {
  const { sql, blobs, log, now, pools, trace = () => {} } = ports;
  const keep = createBatcher(
    (kept: readonly (ClaimRef & { source: MailSource })[]) => storeSources(sql, kept),
    // A skeleton holds the whole body, so the weight bounds the size of one parameter.
    {
      weigh: ({ source }) => source.skeleton.length,
      maxWeight: 4 * 1024 * 1024,
      atOnce: 2,
      mayBeOfOne: mayBeOfOneRow,
    },
  );
  const open = createBatcher(
    (openings: readonly ClaimRef[]) => openBody(sql, openings),
    // Mail servers wait for this: two batches share a WAL flush or follow each other without a gap.
    { atOnce: 2, mayBeOfOne: mayBeOfOneRow },
  );
  const files = createFileStoreHealth();
  /** The storing of a mail's source, by the attempt's token. */
  const storing = new Map<string, Promise<void>>();
  const write = createBatcher(
    (settlements: readonly Settlement[]) => settle(sql, settlements),
    // The connection is free already and the next mails are claimed ahead, so waiting is cheap. Settling six
    // mails costs the database hardly more than settling two.
    { gatherMilliseconds: 20, mayBeOfOne: mayBeOfOneRow },
  );

  /** Retries until the outcome is written. Only this process knows the server's reply. */
  async function writeUntilWritten(settlement: Settlement): Promise<boolean> {
    let longest = 2000;
    for (let wait = 100; ; wait = Math.min(wait * 2, longest)) {
      try {
        const became = await inSpan(ledger('settle'), () => write(settlement));
        if (became !== 'LOCKED') return became === 'WRITTEN';
      } catch (err) {
        log.error({ err, deliveryId: settlement.id }, 'settlement failed, retrying');
        // A damaged ticket needs a person.
        if (mayBeOfOneRow(err)) longest = 60_000;
      }
      await sleep(wait);
    }
  }

  /** A locked delivery is waited for without a connection, for as long as the attempt has its lease. */
  async function keepUnlocked(kept: ClaimRef & { source: MailSource }): Promise<void> {
    while (await keep(kept)) await sleep(lockedMs);
  }

  async function openUnlocked(opening: ClaimRef): Promise<boolean> {
    for (;;) {
      const result = await open(opening);
      if (result !== 'LOCKED') return result === 'OPENED';
      await sleep(lockedMs);
    }
  }

  async function writeFence(kept: Promise<void> | undefined, { id, token }: Claim): Promise<boolean> {
    try {
      await kept;
      return await inSpan(ledger('fence'), () => openUnlocked({ id, token }));
    } catch (err) {
      log.error({ err, deliveryId: id }, 'committing the fence failed; the connection is dropped');
      throw err;
    }
  }

  async function transmit(
    claim: Claim,
    contents: DeliveryContents,
    mayBegin: () => boolean,
  ): Promise<AttemptOutcome | undefined> {
    const recipients = unsettledRecipients(contents.recipients);
    const envelope = envelopeOf(contents, recipients);
    // A mailbox that cannot send throws before its mail is composed.
    pools.poolOf(contents.mailbox);
    const mail = await prepareMail(contents, now());
    const { id, token } = claim;
    const kept = contents.source === undefined ? keepUnlocked({ id, token, source: mail.source }) : undefined;
    // The fence awaits it, and gets its error.
    kept?.catch(() => {});
    if (kept !== undefined) storing.set(token, kept);
    const over = new AbortController();
    const pieces = inLargePieces(mailBytes(mail.source, blobs, over.signal));
    const bytes = readAhead(pieces, mail.source.inserts[0]?.offset);
    /** A server that has gone leaves no file open which the store is silent about. */
    const close = () => {
      over.abort();
      bytes.end();
    };
    await trace('prepared', claim.id);
    const hasFiles = mail.source.inserts.length > 0;
    if (hasFiles && !(await files.ready(bytes, mayBegin))) {
      close();
      return undefined;
    }
    let bodyAt: Date | undefined;
    const transmission = {
      envelope,
      byteSize: mail.byteSize,
      hasUtf8Headers: mail.hasUtf8Headers,
      openBody: async () => {
        await trace('accepted-354', claim.id);
        const owned = await writeFence(kept, claim);
        if (owned) {
          bodyAt = now();
          await trace('body-open', claim.id);
        }
        return owned;
      },
      bytes: async function* () {
        try {
          yield* bytes.pieces();
          if (hasFiles) files.noted(true);
        } catch (err) {
          if (over.signal.aborted) throw err;
          files.noted(false);
          log.error({ err, deliveryId: claim.id }, 'reading an attachment failed');
          throw err;
        }
        await trace('body-written', claim.id);
      },
    };
    await trace('connecting', claim.id);
    const begin = (): boolean => {
      if (!mayBegin()) return false;
      // Reads files while the server takes the envelope and the fence is committed.
      bytes.begin();
      return true;
    };
    const attributes = { 'ticketwire.mailbox_id': contents.mailbox.id };
    // Asked for at the last moment: a pool that was replaced meanwhile, and had no mail, is no longer cut.
    const pool = pools.poolOf(contents.mailbox);
    const outcome = await inSpan(
      () => ({ name: 'smtp send', kind: SpanKind.CLIENT, attributes }),
      () => pool.send(transmission, begin),
    );
    close();
    if (outcome?.fenced) ports.fenceFailed();
    else if (outcome !== undefined) ports.reportServer(contents.mailbox.id, outcome.serverDown);
    if (pool.sizeLimit !== undefined && pool.sizeLimit !== contents.serverMaxMailBytes)
      await recordSizeLimit(sql, contents.mailbox.id, pool.sizeLimit).catch((err) =>
        log.warn({ err }, 'recording the size limit of a mail server failed'),
      );
    return outcome && { ...outcome, bodyAt };
  }

  async function attempt(
    claim: Claim,
    mail: DeliveryContents | UnreadableMail,
    mayBegin: () => boolean,
  ): Promise<boolean> {
    const from = performance.now();
    await trace('claimed', claim.id);
    const settlement = await settlementAfter(claim, mail, mayBegin);
    if (settlement === undefined) return false;
    await trace('answered', claim.id);
    // Once an outcome without a fence is settled, the source could not be stored any more, and the next
    // attempt would compose another mail.
    await storing.get(claim.token)?.catch(() => {});
    const written = await writeUntilWritten(settlement);
    const took = performance.now() - from;
    const { state, phase, recipients } = settlement;
    const { id: deliveryId, attempts: attempt, mailboxId } = claim;
    const codes = [...new Set(recipients.flatMap(({ code }) => code ?? []))];
    const line = { deliveryId, attempt, mailboxId, phase, outcome: state, codes, ms: Math.round(took) };
    log[levelOf[state] ?? 'warn']({ ...line, ...(written ? {} : { overtaken: true }) }, 'mail attempt');
    ports.attempted?.(state, phase, took / 1000);
    await trace('settled', claim.id);
    return true;
  }

  /** Sends the mail if it can be sent. @returns undefined as `run` returns false */
  async function settlementAfter(
    claim: Claim,
    mail: DeliveryContents | UnreadableMail,
    mayBegin: () => boolean,
  ): Promise<Settlement | undefined> {
    const delivery = { ...mail, token: claim.token, attempts: claim.attempts };
    const unsent = (reply: string) => faultSettlement(delivery, reply, now(), ports.random());
    if (mail.parts === undefined) return unsent(inWords(gatewayFaults.unreadableMail));
    const unsendable = unsendableSettlement(delivery, mail);
    if (unsendable !== undefined) return unsendable;
    let outcome: AttemptOutcome | undefined;
    try {
      outcome = await transmit(claim, mail, mayBegin);
    } catch (error) {
      return unsent(explainOwnFault(error, claim, log));
    }
    return outcome && settlementOf(delivery, outcome, now(), ports.random());
  }

  return {
    run(claim, mail, mayBegin) {
      const { id, attempts } = claim;
      const attributes = { 'ticketwire.delivery_id': id, 'ticketwire.attempt': attempts };
      return inSpan(
        () => ({ name: 'mail attempt', kind: SpanKind.CONSUMER, attributes }),
        () => attempt(claim, mail, mayBegin).finally(() => storing.delete(claim.token)),
      );
    },
  };
}

const ledger = (step: string) => () => ({
  name: `ledger ${step}`,
  kind: SpanKind.CLIENT,
  attributes: { 'db.system.name': 'postgresql' },
});

const levelOf: Partial<Record<DeliveryState, 'info' | 'error'>> = { SENT: 'info', OUTCOME_UNKNOWN: 'error' };

const inWords = (fault: string): string => `${fault}; the log of the gateway says why`;

/** Why the mailbox cannot send or the mail cannot be composed, for the ledger. No server was contacted. */
function explainOwnFault(error: unknown, { id: deliveryId }: Claim, log: Logger): string {
  if (error instanceof MailboxUnusable) return error.message;
  const isUnread = error instanceof FilesUnreadable;
  log.error(
    { err: error, deliveryId },
    isUnread ? 'reading an attachment failed' : 'composing a mail failed',
  );
  if (error instanceof DamagedAddress) return `${gatewayFaults.uncomposable}: ${error.message}`;
  return inWords(isUnread ? gatewayFaults.unreadableFile : gatewayFaults.uncomposable);
}
