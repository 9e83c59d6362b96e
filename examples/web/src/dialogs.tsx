import { type ReactNode, useEffect, useRef } from 'react';
import { useQuery } from 'urql';
import type { ResultOf } from './graphql.ts';
import { Message } from './message.tsx';
import { type MessageFragment, PreviewQuery } from './operations.ts';
import { type Draft, inputOf } from './use-send.ts';

/** The browser's own dialog: it keeps the focus, and Escape closes it. */
function Dialog({ title, onClose, children }: { title: string; onClose: () => void; children: ReactNode }) {
  const dialog = useRef<HTMLDialogElement>(null);
  useEffect(() => {
    dialog.current?.showModal();
  }, []);
  return (
    <dialog ref={dialog} aria-label={title} onClose={onClose}>
      <h3>{title}</h3>
      {children}
    </dialog>
  );
}

/** The mail as it would be sent. */
export function Preview({ draft, onClose }: { draft: Draft; onClose: () => void }) {
  const [{ data, error }] = useQuery({
    query: PreviewQuery,
    variables: { input: inputOf(draft) },
    requestPolicy: 'network-only',
  });
  const preview = data?.previewTicketMessage;
  return (
    <Dialog title="The mail" onClose={onClose}>
      {preview?.__typename === 'TicketMessagePreview' ? (
        <>
          <p>To {preview.envelopeTo.join(', ')}</p>
          <p>
            <b>{preview.subject}</b>
          </p>
          <pre>{preview.text}</pre>
        </>
      ) : (
        <p>{preview && 'message' in preview ? preview.message : (error?.message ?? 'Loading…')}</p>
      )}
      <div className="actions">
        <button type="button" onClick={onClose}>
          Close
        </button>
      </div>
    </Dialog>
  );
}

interface StaleProps {
  unseen: ResultOf<typeof MessageFragment>[];
  onBack: () => void;
  onSend: () => void;
}

/** Somebody wrote meanwhile: their messages, and the choice. */
export function Stale({ unseen, onBack, onSend }: StaleProps) {
  return (
    <Dialog title="While you were writing" onClose={onBack}>
      <div className="messages">
        {unseen.map((message) => (
          <Message key={message.id} message={message} />
        ))}
      </div>
      <div className="actions">
        <button type="button" onClick={onBack}>
          Back to my draft
        </button>
        <button type="button" className="primary" onClick={onSend}>
          Send anyway
        </button>
      </div>
    </Dialog>
  );
}
