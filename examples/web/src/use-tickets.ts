import { useEffect, useState } from 'react';
import { type CombinedError, useQuery, useSubscription } from 'urql';
import type { Me } from './desk.tsx';
import { type ResultOf, readFragment } from './graphql.ts';
import { DeskCursorQuery, TicketFragment, TicketsQuery, WatchDeskSubscription } from './operations.ts';
import { withChanges } from './with-changes.ts';

type Ticket = ResultOf<typeof TicketFragment>;

/**
 * The tickets, the most recently active first. An operator's list is live: each event of the desk brings its
 * ticket as it is now. Only operators may watch the desk, so a requester's list is read again whenever they
 * come back to the page.
 */
export function useTickets({ isOperator }: Me): { tickets: Ticket[]; error: CombinedError | undefined } {
  const [{ data: start, error: noStart }] = useQuery({ query: DeskCursorQuery, pause: !isOperator });
  const after = start?.deskCursor;
  const [{ data, error }, refresh] = useQuery({ query: TicketsQuery, pause: isOperator && !after });
  const [changed, setChanged] = useState<ReadonlyMap<string, Ticket>>(new Map());
  const [{ error: notLive }] = useSubscription(
    { query: WatchDeskSubscription, variables: { after }, pause: !after },
    (_last, event) => {
      const ticket = readFragment(TicketFragment, event.deskEvents.ticket);
      if (ticket) setChanged((all) => new Map(all).set(ticket.id, ticket));
      return event;
    },
  );
  useEffect(() => {
    if (isOperator) return;
    const read = () => refresh({ requestPolicy: 'network-only' });
    addEventListener('focus', read);
    return () => removeEventListener('focus', read);
  }, [isOperator, refresh]);

  const listed = readFragment(TicketFragment, data?.tickets?.nodes ?? []);
  const tickets = withChanges(listed, changed).sort((a, b) => activeAt(b) - activeAt(a));
  return { tickets, error: noStart ?? error ?? notLive };
}

/** As the gateway's LAST_MESSAGE orders them. */
const activeAt = ({ lastMessageAt, createdAt }: Ticket): number => Date.parse(lastMessageAt ?? createdAt);
