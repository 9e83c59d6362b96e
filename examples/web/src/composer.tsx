import { type ChangeEvent, useState } from 'react';
import type { Me } from './desk.tsx';
import { Preview, Stale } from './dialogs.tsx';
import { Undo } from './undo.tsx';
import { upload } from './upload.ts';
import { type Draft, type Outcome, useSend } from './use-send.ts';

interface PickedFile {
  name: string;
  /** From 0 to 1. */
  progress: number;
  upload?: string;
}

interface ComposerProps {
  ticket: { id: string };
  /** The last message that is on the page. */
  lastSeen: string | undefined;
  me: Me;
}

export function Composer({ ticket, lastSeen, me }: ComposerProps) {
  const [body, setBody] = useState('');
  const [how, setHow] = useState<'reply' | 'comment' | 'note'>(me.mailboxes.length > 0 ? 'reply' : 'comment');
  const [files, setFiles] = useState<PickedFile[]>([]);
  const [outcome, setOutcome] = useState<Outcome>();
  const [isPreviewed, setPreviewed] = useState(false);
  // What the author had seen when they began to write.
  const [seen, setSeen] = useState<string>();
  const { send, isSending } = useSend();

  const draft: Draft = {
    ticket,
    body,
    visibility: how === 'note' ? 'PRIVATE' : 'PUBLIC',
    from: how === 'reply' ? me.mailboxes[0] : undefined,
    uploads: files.flatMap((file) => file.upload ?? []),
    lastSeen: seen ?? lastSeen,
  };

  async function submit(sent: Draft) {
    const result = await send(sent);
    setOutcome(result);
    if (result.kind !== 'sent') return;
    setBody('');
    setFiles([]);
    setSeen(undefined);
  }

  function write(text: string) {
    if (body === '') setSeen(lastSeen);
    setBody(text);
  }

  async function pick(event: ChangeEvent<HTMLInputElement>) {
    const picked = [...(event.target.files ?? [])];
    event.target.value = '';
    await Promise.all(picked.map((file) => sendFile(file)));
  }

  async function sendFile(file: File) {
    const change = (part: Partial<PickedFile>) =>
      setFiles((all) => all.map((one) => (one.name === file.name ? { ...one, ...part } : one)));
    setFiles((all) => [...all.filter(({ name }) => name !== file.name), { name: file.name, progress: 0 }]);
    try {
      change({
        upload: await upload(file, me.authorization, (progress) => change({ progress })),
        progress: 1,
      });
    } catch (error) {
      setFiles((all) => all.filter(({ name }) => name !== file.name));
      setOutcome({ kind: 'refused', why: (error as Error).message });
    }
  }

  const isUploading = files.some((file) => file.upload === undefined);
  return (
    <form
      className={`composer ${how}`}
      onSubmit={(event) => {
        event.preventDefault();
        submit(draft);
      }}
    >
      {outcome?.kind === 'sent' && outcome.delivery && (
        <Undo key={outcome.delivery} delivery={outcome.delivery} />
      )}
      {outcome?.kind === 'refused' && <p role="alert">{outcome.why}</p>}
      <textarea
        aria-label="Message"
        rows={3}
        value={body}
        onChange={(event) => write(event.target.value)}
        placeholder={how === 'note' ? 'Only operators will see this' : 'Write a message'}
      />
      <Files files={files} onRemove={(name) => setFiles((all) => all.filter((file) => file.name !== name))} />
      <div className="actions">
        {me.isOperator && (
          <select
            aria-label="Kind"
            value={how}
            onChange={(event) => setHow(event.target.value as typeof how)}
          >
            {me.mailboxes.length > 0 && <option value="reply">Reply by e-mail</option>}
            <option value="comment">Comment</option>
            <option value="note">Private note</option>
          </select>
        )}
        <label className="attach">
          Attach
          <input type="file" multiple onChange={pick} />
        </label>
        {how === 'reply' && (
          <button type="button" disabled={body.trim() === ''} onClick={() => setPreviewed(true)}>
            Preview
          </button>
        )}
        <button type="submit" className="primary" disabled={isSending || isUploading || body.trim() === ''}>
          {isUploading ? 'Uploading…' : 'Send'}
        </button>
      </div>
      {isPreviewed && <Preview draft={draft} onClose={() => setPreviewed(false)} />}
      {outcome?.kind === 'stale' && (
        <Stale
          unseen={outcome.unseen}
          onBack={() => {
            setSeen(outcome.unseen.at(-1)?.id);
            setOutcome(undefined);
          }}
          onSend={() => submit({ ...draft, lastSeen: outcome.unseen.at(-1)?.id })}
        />
      )}
    </form>
  );
}

function Files({ files, onRemove }: { files: PickedFile[]; onRemove: (name: string) => void }) {
  return (
    <ul className="picked">
      {files.map(({ name, progress, upload: id }) => (
        <li key={name}>
          {name}
          {id === undefined ? (
            <progress value={progress} aria-label={`${name} is being uploaded`} />
          ) : (
            <button type="button" aria-label={`Remove ${name}`} onClick={() => onRemove(name)}>
              ×
            </button>
          )}
        </li>
      ))}
    </ul>
  );
}
