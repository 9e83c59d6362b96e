import { Readable } from 'node:stream';
import { and, eq, or, sql } from 'drizzle-orm';
import { deliveries, deliveryAttempts, deliverySources } from '../../db/tables.ts';
import { mailBytes, sourceOctets } from '../../mail/compose/stored-mail.ts';
import { Refusal } from '../../platform/errors.ts';
import type { TicketContext } from '../context.ts';
import { requireOperator } from '../permissions.ts';

/** The raw mail of a delivery. */
export interface DeliverySource {
  /** message/rfc822, without a Bcc header. Fails if the blob store cannot read a file of the mail. */
  readonly stream: Readable;
  /** Size in bytes. */
  readonly byteSize: number;
  readonly rfcMessageId: string;
}

/**
 * Opens the raw mail as it was sent, or may have been sent: an attempt must have reached the phase BODY.
 * @param input `deliveryId`: the number, not the global id. `signal`: ends the reading of the mail's files
 * @throws Refusal UNAUTHENTICATED; FORBIDDEN for requesters and without the scope `read`; DELIVERY_NOT_FOUND
 *   also before anything was sent, and after a redaction has deleted the raw mail
 */
export async function openRawMail(
  ctx: TicketContext,
  { deliveryId, signal }: { deliveryId: number; signal?: AbortSignal },
): Promise<DeliverySource> {
  const viewer = requireOperator(ctx, 'see deliveries', 'read');
  const [row] = await ctx.services.database.readAs(viewer, (db) =>
    db
      .select({
        skeleton: deliverySources.skeleton,
        inserts: deliverySources.inserts,
        rfcMessageId: deliveries.rfcMessageId,
      })
      .from(deliverySources)
      .innerJoin(deliveries, eq(deliveries.id, deliverySources.deliveryId))
      .where(
        and(
          eq(deliverySources.deliveryId, deliveryId),
          // The source is stored before the first attempt. It is not shown until a server was given its first
          // byte.
          or(
            eq(deliveries.phase, 'BODY'),
            sql`exists (
              select from ${deliveryAttempts}
              where ${deliveryAttempts.deliveryId} = ${deliveries.id}
                and ${deliveryAttempts.phase} in ('BODY', 'SETTLED'))`,
          ),
        ),
      ),
  );
  if (row === undefined)
    throw new Refusal(
      'DELIVERY_NOT_FOUND',
      'There is no such delivery, or nothing of it was sent yet',
      undefined,
      ['delivery'],
    );
  return {
    stream: Readable.from(mailBytes(row, ctx.services.blobs, signal), { objectMode: false }),
    byteSize: sourceOctets(row),
    rfcMessageId: row.rfcMessageId,
  };
}
