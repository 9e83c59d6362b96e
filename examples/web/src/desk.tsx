import { useState } from 'react';
import { Conversation } from './conversation.tsx';
import { useTickets } from './use-tickets.ts';

/** Who is signed in, as the views need it. */
export interface Me {
  name: string;
  isOperator: boolean;
  /** Addresses that they may send from. */
  mailboxes: string[];
  authorization: string;
}

export function Desk({ me, onSignOut }: { me: Me; onSignOut: () => void }) {
  const [open, setOpen] = useState<string>();
  const { tickets, error } = useTickets(me);
  return (
    <div className={open === undefined ? 'desk' : 'desk with-ticket'}>
      <aside>
        <header>
          <h1>{me.isOperator ? 'All tickets' : 'My tickets'}</h1>
          <button type="button" onClick={onSignOut} title={`Signed in as ${me.name}`}>
            Sign out
          </button>
        </header>
        {error && <p role="alert">{error.message}</p>}
        <nav aria-label="Tickets">
          {tickets.map(({ id, reference, subject, status, messageCount, requester }) => (
            <button
              key={id}
              type="button"
              className="ticket"
              aria-current={open === id ? 'page' : undefined}
              onClick={() => setOpen(id)}
            >
              <b>{subject}</b>
              <small>
                {reference} · {requester.name} · {messageCount}
                {status === 'CLOSED' && ' · closed'}
              </small>
            </button>
          ))}
        </nav>
      </aside>
      {open === undefined ? (
        <main className="nothing">Choose a ticket.</main>
      ) : (
        <Conversation key={open} id={open} me={me} onBack={() => setOpen(undefined)} />
      )}
    </div>
  );
}
