import { useLayoutEffect, useRef } from 'react';
import { useMutation } from 'urql';
import type { ResultOf } from './graphql.ts';
import { type MessageFragment, RetryMutation } from './operations.ts';

export type MessageData = ResultOf<typeof MessageFragment>;

const states: Record<NonNullable<MessageData['delivery']>['state'], string> = {
  QUEUED: 'Mail is waiting to go',
  HELD: 'Mail is held',
  TRANSMITTING: 'Mail is being sent',
  SENT: 'Mailed',
  PARTIALLY_FAILED: 'Mail did not reach everybody',
  FAILED: 'Mail failed',
  DEFERRED: 'Mail is delayed',
  OUTCOME_UNKNOWN: 'Unknown whether the mail was sent',
  CANCELLED: 'Mail cancelled',
};

export function Message({ message }: { message: MessageData }) {
  const { author, createdAt, visibility, bodyHtml, attachments, delivery } = message;
  const kind = visibility === 'PRIVATE' ? 'private' : author.role.toLowerCase();
  return (
    <article className={`message ${kind}`}>
      <header>
        <b>{author.name}</b>
        {visibility === 'PRIVATE' && <span className="badge">private</span>}
        <time dateTime={createdAt}>{new Date(createdAt).toLocaleString()}</time>
      </header>
      <Body html={bodyHtml} />
      {attachments.length > 0 && <Attachments attachments={attachments} />}
      {delivery && <Delivery delivery={delivery} />}
    </article>
  );
}

/** Safe to insert: the gateway has sanitized it, and does not load remote pictures. */
function Body({ html }: { html: string }) {
  const place = useRef<HTMLDivElement>(null);
  useLayoutEffect(() => {
    const { body } = new DOMParser().parseFromString(html, 'text/html');
    place.current?.replaceChildren(...body.childNodes);
  }, [html]);
  return <div className="body" ref={place} />;
}

function Attachments({ attachments }: Pick<MessageData, 'attachments'>) {
  return (
    <ul className="attachments">
      {attachments.map(({ id, fileName, byteSize, contentType, url }) => (
        <li key={id}>
          {url === null ? (
            <s>{fileName}</s>
          ) : (
            <a href={url} target="_blank" rel="noreferrer">
              {/^image\/(png|jpeg|gif|webp|avif)$/.test(contentType) && (
                <img src={url} alt="" loading="lazy" />
              )}
              {fileName} <small>{Math.ceil(byteSize / 1024)} KiB</small>
            </a>
          )}
        </li>
      ))}
    </ul>
  );
}

function Delivery({ delivery }: { delivery: NonNullable<MessageData['delivery']> }) {
  const [{ data, fetching }, retry] = useMutation(RetryMutation);
  const { id, state, failure } = delivery;
  const isFailed = state === 'FAILED' || state === 'PARTIALLY_FAILED';
  const refusal =
    data?.retryDelivery && 'message' in data.retryDelivery ? data.retryDelivery.message : undefined;
  return (
    <footer className={isFailed ? 'delivery failed' : 'delivery'}>
      {states[state]}
      {failure && `: ${failure}`}
      {isFailed && (
        <button type="button" disabled={fetching} onClick={() => retry({ input: { delivery: id } })}>
          Try again
        </button>
      )}
      {refusal && <span role="alert">{refusal}</span>}
    </footer>
  );
}
