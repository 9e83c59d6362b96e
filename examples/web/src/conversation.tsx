import { useEffect, useRef, useState } from 'react';
import { useQuery, useSubscription } from 'urql';
import { Composer } from './composer.tsx';
import type { Me } from './desk.tsx';
import { readFragment } from './graphql.ts';
import { Message, type MessageData } from './message.tsx';
import { ConversationQuery, MessageFragment, WatchSubscription } from './operations.ts';
import { withChanges } from './with-changes.ts';

interface ConversationProps {
  id: string;
  me: Me;
  onBack: () => void;
}

export function Conversation({ id, me, onBack }: ConversationProps) {
  const by = { id };
  const [{ data, error }] = useQuery({ query: ConversationQuery, variables: { by } });
  const ticket = data?.ticket;
  // Watched from where the first page ends: what happens in between is not missed.
  const [after, setAfter] = useState<string>();
  if (after === undefined && ticket) setAfter(ticket.cursor);
  const [changed, setChanged] = useState<ReadonlyMap<string, MessageData>>(new Map());
  useSubscription(
    { query: WatchSubscription, variables: { ticket: by, after }, pause: after === undefined },
    (_last, event) => {
      // The message as it is now: a new one, or one whose mail or text has changed.
      const message = readFragment(MessageFragment, event.ticketEvents.ticketMessage);
      if (message) setChanged((all) => new Map(all).set(message.id, message));
      return event;
    },
  );
  const listed = readFragment(MessageFragment, ticket?.messages?.nodes ?? []);
  const messages = withChanges(listed, changed).sort((a, b) => a.messageId - b.messageId);
  const lastId = messages.at(-1)?.id;
  const end = useRef<HTMLDivElement>(null);
  useEffect(() => {
    if (lastId) end.current?.scrollIntoView({ block: 'end' });
  }, [lastId]);

  if (error && !ticket)
    return (
      <main className="nothing" role="alert">
        {error.message}
      </main>
    );
  if (!ticket) return <main className="nothing">Loading…</main>;
  return (
    <main className="conversation">
      <header>
        <button type="button" className="back" onClick={onBack}>
          ← Tickets
        </button>
        <h2>{ticket.subject}</h2>
        <small>{ticket.reference}</small>
      </header>
      <div className="messages" role="log" aria-label="Messages">
        {messages.map((message) => (
          <Message key={message.id} message={message} />
        ))}
        <div ref={end} />
      </div>
      <Composer ticket={by} lastSeen={lastId} me={me} />
    </main>
  );
}
