import { useState } from 'react';
import { useMutation } from 'urql';
import type { ResultOf } from './graphql.ts';
import { readFragment } from './graphql.ts';
import { AddMutation, MessageFragment } from './operations.ts';

/** Seconds in which a mail can be taken back. */
export const undoSeconds = 10;

export interface Draft {
  ticket: { id: string };
  body: string;
  visibility: 'PUBLIC' | 'PRIVATE';
  /** The mailbox to send from; undefined: no mail. */
  from: string | undefined;
  uploads: string[];
  lastSeen: string | undefined;
}

export const inputOf = ({ ticket, body, visibility, from, uploads }: Draft) => ({
  ticket,
  body,
  visibility,
  attachments: uploads.map((upload) => ({ upload })),
  ...(from === undefined ? {} : { email: { from, holdSeconds: undoSeconds } }),
});

export type Outcome =
  | { kind: 'sent'; delivery: string | undefined }
  | { kind: 'stale'; unseen: ResultOf<typeof MessageFragment>[] }
  | { kind: 'refused'; why: string };

/** Sends a draft. The same draft has the same key, so that a second try adds no second message. */
export function useSend() {
  const [key, setKey] = useState(() => crypto.randomUUID());
  const [{ fetching }, add] = useMutation(AddMutation);

  async function send(draft: Draft): Promise<Outcome> {
    const input = { ...inputOf(draft), idempotencyKey: key, ifLastMessage: draft.lastSeen };
    const { data, error } = await add({ input });
    const result = data?.addTicketMessage;
    if (!result) return { kind: 'refused', why: error?.message ?? 'No answer. Press Send again.' };
    switch (result.__typename) {
      case 'AddTicketMessagePayload':
        setKey(crypto.randomUUID());
        return { kind: 'sent', delivery: result.delivery?.id };
      case 'TicketChangedError':
        return { kind: 'stale', unseen: [...readFragment(MessageFragment, result.unseenMessages)] };
      case 'InvalidInputError':
        return { kind: 'refused', why: result.problems.map(({ message }) => message).join(' ') };
      default:
        return { kind: 'refused', why: result.message };
    }
  }
  return { send, isSending: fetching };
}
